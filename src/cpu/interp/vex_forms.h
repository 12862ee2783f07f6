// Instruction forms with VEX: from a function on values to the handlers of a row.
//
// F is a constant that is called as F(a, b, immediate), F(a, b) or F(b), whichever it accepts: `a`
// is the register in VEX.vvvv, `b` is ModRM.rm. It must be exact on every host; floating point goes
// through avx_float/float_forms.h instead.
#pragma once

#include "cpu/interp/vex_operand.h"

namespace uchronia::cpu::interp::vex {

template <auto F, class T>
[[gnu::always_inline]] inline T call(T a, T b, u8 immediate) {
    if constexpr (requires { F(a, b, immediate); })
        return F(a, b, immediate);
    else if constexpr (requires { F(a, b); })
        return F(a, b);
    else
        return F(b);
}

// From a function on lanes to one on YMM values. The upper lane sees the immediate shifted to the
// right.
template <auto F, Length length, unsigned shift = 0>
inline constexpr auto by_lanes = [](YMM a, YMM b, u8 immediate) {
    const __m128i low = call<F>(a.low, b.low, immediate);
    if constexpr (length == k128)
        return lower_lane(low);
    else
        return YMM{low, call<F>(a.high, b.high, static_cast<u8>(immediate >> shift))};
};

enum class Form : u8 { kRegister, kMemory };

// ModRM.rm: a register, or `size` bytes of memory.
template <unsigned size, Form form, Alignment alignment = Alignment::kNone>
[[gnu::always_inline]] inline LoadedYMM rm_operand(VCPU& cpu, const Op* op) {
    if constexpr (form == Form::kRegister)
        return {ymm(cpu, op->rm), true};
    else
        return load<size, alignment>(cpu, op);
}

template <auto F, Length length, unsigned size, Form form, Alignment alignment = Alignment::kNone>
void ymm_handler(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedYMM b = rm_operand<size, form, alignment>(cpu, op);
    if (!b.ok) [[unlikely]]
        return;
    const YMM a = ymm(cpu, vex_vvvv(op));
    set_ymm<length>(cpu, op->reg, call<F>(a, b.value, vex_immediate(op)));
    return next(cpu, op);
}
template <auto F>
constexpr Handler ymm_register = ymm_handler<F, k256, 32, Form::kRegister>;
template <auto F, unsigned size, Alignment alignment = Alignment::kNone>
constexpr Handler ymm_memory = ymm_handler<F, k256, size, Form::kMemory, alignment>;

// A function on YMM values, with `size` bytes of memory as its second operand.
template <auto F, Length length, unsigned size = kSize<length>>
consteval HandlerSet whole() {
    return by_form(ymm_handler<F, length, size, Form::kRegister>,
                   ymm_handler<F, length, size, Form::kMemory>);
}
// A function on lanes.
template <auto F, Length length, unsigned shift = 0>
consteval HandlerSet lanes() {
    return whole<by_lanes<F, length, shift>, length>();
}

}  // namespace uchronia::cpu::interp::vex
