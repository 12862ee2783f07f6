// Instruction forms: from a function on values to the handlers of a row.
//
// A function on YMM values is called as F(first, second, immediate), where `first` is VEX.vvvv and
// `second` ModRM.rm; a function on lanes as F(second), F(first, second) or F(first, second,
// immediate), whichever it accepts. It must be exact on every host.
#pragma once

#include "cpu/interp/avx_integer/operand.h"

namespace uchronia::cpu::interp::avx_integer {

enum class Form : u8 { kRegister, kMemory };

template <auto F>
[[gnu::always_inline]] inline __m128i call(__m128i first, __m128i second, u8 immediate) {
    if constexpr (requires { F(first, second, immediate); })
        return F(first, second, immediate);
    else if constexpr (requires { F(first, second); })
        return F(first, second);
    else
        return F(second);
}

// From a function on lanes to one on YMM values.
template <auto F, Length length>
constexpr auto by_lanes = [](YMM a, YMM b, u8 immediate) {
    const __m128i low = call<F>(a.low, b.low, immediate);
    if constexpr (length == k128)
        return YMM{low, low};
    else
        return YMM{low, call<F>(a.high, b.high, immediate)};
};

// ModRM.rm: a register, or `size` bytes of memory.
template <unsigned size, Form form>
[[gnu::always_inline]] inline LoadedYMM rm_operand(VCPU& cpu, const Op* op) {
    if constexpr (form == Form::kRegister)
        return {ymm(cpu, op->rm), true};
    else
        return load<size>(cpu, op);
}

template <auto F, Length length, unsigned size, Form form>
void ymm_handler(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedYMM source = rm_operand<size, form>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    const YMM first = ymm(cpu, vex_vvvv(op));
    set_ymm<length>(cpu, op->reg, F(first, source.value, vex_immediate(op)));
    return next(cpu, op);
}

// A function on YMM values, with `size` bytes of memory as its second operand.
template <auto F, Length length, unsigned size = kSize<length>>
consteval HandlerSet whole() {
    return by_form(ymm_handler<F, length, size, Form::kRegister>,
                   ymm_handler<F, length, size, Form::kMemory>);
}
// A function on lanes.
template <auto F, Length length>
consteval HandlerSet lanes() {
    return whole<by_lanes<F, length>, length>();
}
// A function on lanes of which each takes the low 128 bits of the second operand.
template <auto F, Length length>
consteval HandlerSet counted() {
    return whole<[](YMM a, YMM b, u8) {
        return YMM{F(a.low, b.low), F(a.high, b.low)};
    },
                 length, 16>();
}
// A function that makes a lane from `size` bytes: the high lane from those after the low one's.
template <auto F, Length length, int size>
consteval HandlerSet widened() {
    return whole<[](YMM, YMM b, u8) {
        return YMM{F(b.low), F(_mm_srli_si128(b.low, size))};
    },
                 length, (length == k256 ? 2u : 1u) * size>();
}
// The destination is VEX.vvvv, the source ModRM.rm: F(source, immediate) on lanes.
template <auto F, Length length>
consteval HandlerSet hx_ux_ib() {
    return always([](VCPU& cpu, const Op* op) {
        if (!avx_available(cpu, op)) [[unlikely]]
            return;
        const YMM source = ymm<length>(cpu, op->rm);
        const u8 immediate = vex_immediate(op);
        set_ymm<length>(cpu, vex_vvvv(op), {F(source.low, immediate), F(source.high, immediate)});
        return next(cpu, op);
    });
}

}  // namespace uchronia::cpu::interp::avx_integer
