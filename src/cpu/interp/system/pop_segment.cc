// POP FS and POP GS, the segment registers that can be popped in 64-bit mode (APM vol. 3, POP).
#include "cpu/access.h"
#include "cpu/interp/handlers.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp::system {
namespace {

// T is the operand size; RSP moves only when the segment has been loaded.
template <SegmentRegister S, class T>
void pop_segment(VCPU& cpu, const Op* op) {
    T selector;
    if (!read_memory(cpu, op, cpu.state.gpr[kRSP], selector) ||
        !load_segment(cpu, op, S, static_cast<u16>(selector)))
        return;
    cpu.state.gpr[kRSP] += sizeof(T);
    cpu.state.rip = cpu.address_after(op);
}

template <SegmentRegister S>
constexpr HandlerSet pop_rows() {
    constexpr Handler word = pop_segment<S, u16>, quadword = pop_segment<S, u64>;
    return {word, quadword, quadword, word, quadword, quadword};
}

}  // namespace
}  // namespace uchronia::cpu::interp::system

namespace uchronia::cpu::interp::handler {

constexpr HandlerSet POP_FS = system::pop_rows<kFS>();
constexpr HandlerSet POP_GS = system::pop_rows<kGS>();

}  // namespace uchronia::cpu::interp::handler
