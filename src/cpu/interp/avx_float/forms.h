// Instruction forms: from a function on values to the handlers of a row.
//
// F is a constant that is called as F(a, b, immediate), F(a, b) or F(b), whichever it accepts: `a`
// is the register in VEX.vvvv, `b` is ModRM.rm. It must be exact on every host; floating point goes
// through float_forms.h instead.
#pragma once

#include "cpu/interp/avx_float/wide.h"

// Defines the rows NAME_128 and NAME_256: the form, called with the number of lanes.
#define BOTH_LENGTHS(name, ...)                            \
    const HandlerSet name##_128 = (__VA_ARGS__)(kOneLane); \
    const HandlerSet name##_256 = (__VA_ARGS__)(kTwoLanes)

namespace uchronia::cpu::interp::avx_float {

template <auto F, class T>
[[gnu::always_inline]] inline T call(T a, T b, u8 immediate) {
    if constexpr (requires { F(a, b, immediate); })
        return F(a, b, immediate);
    else if constexpr (requires { F(a, b); })
        return F(a, b);
    else
        return F(b);
}

// A function on 128-bit values, applied to each lane. The upper lane sees the immediate shifted to
// the right.
template <auto F, unsigned lane_count, unsigned shift = 0>
inline constexpr auto by_lane = [](Wide a, Wide b, u8 immediate) {
    const __m128i low = call<F>(a.low, b.low, immediate);
    if constexpr (lane_count == 1)
        return lower_lane(low);
    else
        return Wide{low, call<F>(a.high, b.high, static_cast<u8>(immediate >> shift))};
};

template <auto F>
void wide_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const Wide a = wide(cpu, vex_vvvv(op)), b = wide(cpu, op->rm);
    set_wide(cpu, op->reg, call<F>(a, b, vex_immediate(op)));
    return next(cpu, op);
}

template <auto F, unsigned size, Alignment alignment = Alignment::kNone>
void wide_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedWide b = load_wide<size, alignment>(cpu, op);
    if (!b.ok) [[unlikely]]
        return;
    set_wide(cpu, op->reg, call<F>(wide(cpu, vex_vvvv(op)), b.value, vex_immediate(op)));
    return next(cpu, op);
}

// With a memory operand of `size` bytes.
template <auto F, unsigned size>
consteval HandlerSet wide_form() {
    return by_form(wide_register<F>, wide_memory<F, size>);
}

// Packed operands: a function on 128-bit values, lane by lane.
template <auto F, unsigned shift = 0>
inline constexpr auto packed =
    []<unsigned n>(Lanes<n>) { return wide_form<by_lane<F, n, shift>, 16 * n>(); };
// Scalar operands: the lowest element of `b`, the rest of `a`.
template <auto F, unsigned size>
consteval HandlerSet scalar() {
    return wide_form<by_lane<F, 1>, size>();
}

}  // namespace uchronia::cpu::interp::avx_float
