// Instruction forms of floating-point operations: like forms.h, under the guest's MXCSR.
//
// F is called as F(destination, source) or F(destination, source, immediate), and is made of the
// functions of float_operations.h. `inexact` goes with operations that can overflow or underflow.
#pragma once

#include "cpu/interp/sse/float_operations.h"
#include "cpu/interp/sse/float_unit.h"
#include "cpu/interp/sse/forms.h"
#include "cpu/interp/sse/unbounded.h"

namespace uchronia::cpu::interp::sse {

// In a mode other than the default one. Out of line, to keep the common path without a frame.
template <auto F, Inexact inexact>
[[gnu::noinline]] bool compute_in_mode(VCPU& cpu, const Op* op, __m128i source) {
    const __m128i destination = xmm(cpu, op->reg);
    __m128i result = destination;
    const u32 control = cpu.state.mxcsr;
    if (!execute_float(
            cpu, op, {control}, [&] { result = apply<F>(destination, source, op); },
            [&] { return inexact(destination, source, control); }))
        return false;
    set_xmm(cpu, op->reg, result);
    return true;
}

// Computes into ModRM.reg; false if a fault was raised.
template <auto F, Inexact inexact>
[[gnu::always_inline]] inline bool compute_float(VCPU& cpu, const Op* op, __m128i source) {
    if (!in_default_mode(cpu.state.mxcsr)) [[unlikely]]
        return compute_in_mode<F, inexact>(cpu, op, source);
    const __m128i destination = xmm(cpu, op->reg);
    __m128i result = destination;
    execute_default(cpu, 0, [&] { result = apply<F>(destination, source, op); });
    set_xmm(cpu, op->reg, result);
    return true;
}

template <auto F, Inexact inexact>
void float_register_form(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op) || !compute_float<F, inexact>(cpu, op, xmm(cpu, op->rm))) [[unlikely]]
        return;
    return next(cpu, op);
}

template <auto F, Width width, Inexact inexact>
void float_memory_form(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<width>(cpu, op);
    if (!source.ok || !compute_float<F, inexact>(cpu, op, source.value)) [[unlikely]]
        return;
    return next(cpu, op);
}

// Packed (16 aligned bytes), or with a scalar of 4 or 8 bytes as the source.
template <auto F, Inexact inexact = never_inexact, Width width = Width::kAligned>
consteval HandlerSet float_form() {
    return by_form(float_register_form<F, inexact>, float_memory_form<F, width, inexact>);
}
template <auto F, Inexact inexact = never_inexact>
consteval HandlerSet single_form() {
    return float_form<F, inexact, Width::kDword>();
}
template <auto F, Inexact inexact = never_inexact>
consteval HandlerSet double_form() {
    return float_form<F, inexact, Width::kQword>();
}

}  // namespace uchronia::cpu::interp::sse
