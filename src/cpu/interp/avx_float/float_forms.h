// Instruction forms of floating-point operations: like forms.h, under the guest's MXCSR. The
// exceptions of all elements are signalled together.
//
// F is made of the functions of sse/float_operations.h. `inexact` goes with operations that can
// overflow or underflow (sse/unbounded.h); `mode` says how an instruction departs from MXCSR.
#pragma once

#include "cpu/interp/avx_float/forms.h"
#include "cpu/interp/sse/float_operations.h"
#include "cpu/interp/sse/float_unit.h"
#include "cpu/interp/sse/unbounded.h"

namespace uchronia::cpu::interp::avx_float {

using sse::never_inexact;

inline sse::FloatMode plain_mode(u32 control, const Op*) {
    return {control};
}

template <sse::Inexact inexact, unsigned lane_count>
[[gnu::always_inline]] inline bool inexact_lanes(YMM a, YMM b, u32 control) {
    return inexact(a.low, b.low, control) || (lane_count == 2 && inexact(a.high, b.high, control));
}

// What a form is made of.
template <auto F, unsigned lane_count, sse::Inexact inexact, auto mode>
struct FloatForm {
    // In a mode other than the default one. Out of line, to keep the common path without a frame.
    [[gnu::noinline]] static bool compute_in_mode(VCPU& cpu, const Op* op, YMM b) {
        const YMM a = ymm(cpu, vex_vvvv(op));
        const sse::FloatMode own = mode(cpu.state.mxcsr, op);
        YMM result = a;
        if (!sse::execute_float(
                cpu, op, own, [&] { result = call<F>(a, b, vex_immediate(op)); },
                [&] { return inexact_lanes<inexact, lane_count>(a, b, own.control); }))
            return false;
        set_ymm(cpu, op->reg, result);
        return true;
    }

    // Computes into ModRM.reg; false if a fault was raised.
    [[gnu::always_inline]] static bool compute(VCPU& cpu, const Op* op, YMM b) {
        const sse::FloatMode own = mode(cpu.state.mxcsr, op);
        if (!sse::in_default_mode(own.control)) [[unlikely]]
            return compute_in_mode(cpu, op, b);
        const YMM a = ymm(cpu, vex_vvvv(op));
        YMM result = a;
        sse::execute_default(cpu, own.ignored, [&] { result = call<F>(a, b, vex_immediate(op)); });
        set_ymm(cpu, op->reg, result);
        return true;
    }

    static void register_form(VCPU& cpu, const Op* op) {
        if (!avx_available(cpu, op) || !compute(cpu, op, ymm(cpu, op->rm))) [[unlikely]]
            return;
        return next(cpu, op);
    }
    template <unsigned size>
    static void memory_form(VCPU& cpu, const Op* op) {
        if (!avx_available(cpu, op)) [[unlikely]]
            return;
        const LoadedYMM b = load<size>(cpu, op);
        if (!b.ok || !compute(cpu, op, b.value)) [[unlikely]]
            return;
        return next(cpu, op);
    }
};

// With a memory operand of `size` bytes; F is a function on 256-bit values.
template <auto F, unsigned size, unsigned lane_count, sse::Inexact inexact = never_inexact,
          auto mode = plain_mode>
consteval HandlerSet wide_float() {
    using Form = FloatForm<F, lane_count, inexact, mode>;
    return by_form(Form::register_form, Form::template memory_form<size>);
}

// Packed operands: a function on 128-bit values, lane by lane.
template <auto F, sse::Inexact inexact = never_inexact, auto mode = plain_mode>
inline constexpr auto packed_float =
    []<unsigned n>(Lanes<n>) { return wide_float<by_lane<F, n>, 16 * n, n, inexact, mode>(); };
// Scalar operands: the lowest element of `b`, the rest of `a`.
template <auto F, unsigned size, sse::Inexact inexact = never_inexact, auto mode = plain_mode>
consteval HandlerSet scalar_float() {
    return wide_float<by_lane<F, 1>, size, 1, inexact, mode>();
}

}  // namespace uchronia::cpu::interp::avx_float
