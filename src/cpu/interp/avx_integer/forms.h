// Instruction forms of integer operations that vex_forms.h does not have.
#pragma once

#include "cpu/interp/vex_forms.h"

namespace uchronia::cpu::interp::avx_integer {

using namespace vex;

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
