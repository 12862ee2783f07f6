// LAHF, SAHF, CLC, STC, CMC, CLD, STD.
#include "cpu/interp/integer/alu.h"
#include "cpu/interp/integer/forms.h"

namespace uchronia::cpu::interp::integer {
namespace {

// AH has the form of the upper byte of ArithmeticFlags.
void load_AH(VCPU& cpu, const Op* op) {
    register_at<u8>(cpu, kOffsetAH) = static_cast<u8>(cpu.state.flags.bits >> 8);
    return next(cpu, op);
}
void store_AH(VCPU& cpu, const Op* op) {
    constexpr u16 kAll = ArithmeticFlags::kSF | ArithmeticFlags::kZF | ArithmeticFlags::kAF |
                         ArithmeticFlags::kPF | ArithmeticFlags::kCF;
    replace_flags(cpu.state.flags, kAll, static_cast<u16>(register_at<u8>(cpu, kOffsetAH) << 8));
    return next(cpu, op);
}

void clear_carry(VCPU& cpu, const Op* op) {
    replace_flags(cpu.state.flags, ArithmeticFlags::kCF, 0);
    return next(cpu, op);
}
void set_carry(VCPU& cpu, const Op* op) {
    replace_flags(cpu.state.flags, ArithmeticFlags::kCF, ArithmeticFlags::kCF);
    return next(cpu, op);
}
void complement_carry(VCPU& cpu, const Op* op) {
    cpu.state.flags.bits ^= ArithmeticFlags::kCF;
    return next(cpu, op);
}

void clear_direction(VCPU& cpu, const Op* op) {
    cpu.state.system_flags &= ~rflags::kDF;
    return next(cpu, op);
}
void set_direction(VCPU& cpu, const Op* op) {
    cpu.state.system_flags |= rflags::kDF;
    return next(cpu, op);
}

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet LAHF = always(load_AH);
constexpr HandlerSet SAHF = always(store_AH);
constexpr HandlerSet CLC = always(clear_carry);
constexpr HandlerSet STC = always(integer::set_carry);
constexpr HandlerSet CMC = always(complement_carry);
constexpr HandlerSet CLD = always(clear_direction);
constexpr HandlerSet STD = always(set_direction);

}  // namespace uchronia::cpu::interp::handler
