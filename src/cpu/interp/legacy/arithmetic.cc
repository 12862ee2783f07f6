// Arithmetic that 64-bit mode has lost: decimal adjustments, the short INC and DEC, SALC, BOUND,
// ARPL, INTO.
//
// Canon where the manuals leave flags undefined: 0 for OF of DAA and DAS, OF, AF and CF of AAM and
// AAD, and OF of AAA and AAS, whose SF, ZF and PF are those of AL.
// Source: APM vol. 3, the pages of each. SALC is not in it: AL := CF ? FFh : 0, as on every
// processor.
#include "cpu/interp/integer/alu.h"
#include "cpu/interp/legacy/forms.h"
#include "cpu/interp/legacy/rows.h"
#include "cpu/interp/system/delivery.h"

namespace uchronia::cpu::interp::legacy {
namespace {

using integer::sign_zero_parity;

constexpr u8 kOffsetAL = 0, kOffsetAH = 1, kOffsetAX = 0;

u8& al(VCPU& cpu) {
    return register_at<u8>(cpu, kOffsetAL);
}

// The flags of AL, with AF and CF.
void set_flags(VCPU& cpu, bool af, bool cf) {
    ArithmeticFlags& flags = cpu.state.flags;
    flags = sign_zero_parity(al(cpu));
    flags.bits = static_cast<u16>(flags.bits | (af ? ArithmeticFlags::kAF : 0) |
                                  (cf ? ArithmeticFlags::kCF : 0));
}

bool low_digit_adjusts(VCPU& cpu) {
    return (al(cpu) & 15) > 9 || cpu.state.flags.af();
}

void decimal_adjust_after_addition(VCPU& cpu, const Op* op) {
    const u8 old = al(cpu);
    const bool low = low_digit_adjusts(cpu);
    const bool high = old > 0x99 || cpu.state.flags.cf();
    al(cpu) = static_cast<u8>(old + (low ? 6 : 0) + (high ? 0x60 : 0));
    set_flags(cpu, low, high);
    return next(cpu, op);
}

void decimal_adjust_after_subtraction(VCPU& cpu, const Op* op) {
    const u8 old = al(cpu);
    const bool low = low_digit_adjusts(cpu);
    const bool high = old > 0x99 || cpu.state.flags.cf();
    const bool borrow = low && old < 6;
    al(cpu) = static_cast<u8>(old - (low ? 6 : 0) - (high ? 0x60 : 0));
    set_flags(cpu, low, high || borrow);
    return next(cpu, op);
}

void adjust_after_addition(VCPU& cpu, const Op* op) {
    const bool adjusts = low_digit_adjusts(cpu);
    u16& ax = register_at<u16>(cpu, kOffsetAX);
    ax = static_cast<u16>(ax + (adjusts ? 0x106 : 0)) & 0xff0f;
    set_flags(cpu, adjusts, adjusts);
    return next(cpu, op);
}

void adjust_after_subtraction(VCPU& cpu, const Op* op) {
    const bool adjusts = low_digit_adjusts(cpu);
    u16& ax = register_at<u16>(cpu, kOffsetAX);
    ax = static_cast<u16>(ax - (adjusts ? 0x106 : 0)) & 0xff0f;
    set_flags(cpu, adjusts, adjusts);
    return next(cpu, op);
}

void adjust_after_multiplication(VCPU& cpu, const Op* op) {
    const u8 base = static_cast<u8>(op->immediate);
    if (base == 0)
        return cpu.raise(op, Vector::kDE);
    const u8 old = al(cpu);
    register_at<u8>(cpu, kOffsetAH) = static_cast<u8>(old / base);
    al(cpu) = static_cast<u8>(old % base);
    set_flags(cpu, false, false);
    return next(cpu, op);
}

void adjust_before_division(VCPU& cpu, const Op* op) {
    const u8 base = static_cast<u8>(op->immediate);
    u8& ah = register_at<u8>(cpu, kOffsetAH);
    al(cpu) = static_cast<u8>(al(cpu) + ah * base);
    ah = 0;
    set_flags(cpu, false, false);
    return next(cpu, op);
}

void set_al_by_carry(VCPU& cpu, const Op* op) {
    al(cpu) = cpu.state.flags.cf() ? 0xff : 0;
    return next(cpu, op);
}

template <class Operation>
struct UnaryRegister {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        const T value = register_at<T>(cpu, op->reg);
        set_register<T>(cpu, op->reg, Operation::template apply<T>(value, cpu.state.flags));
        return true;
    }
};

// #BR if the signed index is not between the two bounds in memory.
struct Bound {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        using Signed = std::make_signed_t<T>;
        const u64 address = linear_address(cpu, op, Access::kRead, 2 * sizeof(T));
        T lower, upper;
        if (!read_memory(cpu, op, address, lower) ||
            !read_memory(cpu, op, address + sizeof(T), upper))
            return false;
        const auto index = static_cast<Signed>(register_at<T>(cpu, op->reg));
        if (index >= static_cast<Signed>(lower) && index <= static_cast<Signed>(upper))
            return true;
        cpu.raise(op, Vector::kBR);
        return false;
    }
};

// The RPL of E becomes at least that of G; ZF tells whether it changed.
[[gnu::noinline]] bool adjust_privilege(VCPU& cpu, const Op* op) {
    if ((cpu.state.cr0 & cr0::kPE) == 0) {
        cpu.raise(op, Vector::kUD);
        return false;
    }
    u16 selector;
    if (!load_E(cpu, op, selector))
        return false;
    const u16 wanted = register_at<u16>(cpu, op->reg) & 3;
    const bool changes = (selector & 3) < wanted;
    if (changes && !store_E(cpu, op, static_cast<u16>((selector & ~3) | wanted)))
        return false;
    integer::replace_flags(cpu.state.flags, ArithmeticFlags::kZF,
                           changes ? ArithmeticFlags::kZF : 0);
    return true;
}

void adjust_requested_privilege(VCPU& cpu, const Op* op) {
    if (!adjust_privilege(cpu, op))
        return;
    return next(cpu, op);
}

void interrupt_on_overflow(VCPU& cpu, const Op* op) {
    if (!cpu.state.flags.of())
        return finish(cpu, op);
    deliver_software_interrupt(cpu, op, static_cast<u8>(Vector::kOF), SoftwareInterrupt::kChecked);
}

}  // namespace

constexpr HandlerSet INTO = always(interrupt_on_overflow);

}  // namespace uchronia::cpu::interp::legacy

namespace uchronia::cpu::interp::handler {

using namespace interp::legacy;

constexpr HandlerSet DAA = always(decimal_adjust_after_addition);
constexpr HandlerSet DAS = always(decimal_adjust_after_subtraction);
constexpr HandlerSet AAA = always(adjust_after_addition);
constexpr HandlerSet AAS = always(adjust_after_subtraction);
constexpr HandlerSet AAM_Ib = always(adjust_after_multiplication);
constexpr HandlerSet AAD_Ib = always(adjust_before_division);
constexpr HandlerSet SALC = always(set_al_by_carry);
constexpr HandlerSet INC_Zv = rows<UnaryRegister<integer::Increment>>();
constexpr HandlerSet DEC_Zv = rows<UnaryRegister<integer::Decrement>>();
constexpr HandlerSet BOUND_Gv_Ma = ending_rows<Bound>();
constexpr HandlerSet ARPL_Ew_Gw = always(adjust_requested_privilege);

}  // namespace uchronia::cpu::interp::handler
