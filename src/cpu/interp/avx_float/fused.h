// Fused multiplication and addition in software: x * y + z, rounded once.
//
// Source: APM vol. 1, 4.8 and 4.10; vol. 4, VFMADD132PD and relatives.
#pragma once

#include "cpu/interp/avx_float/rounding.h"

namespace uchronia::cpu::interp::avx_float {

// Which operands are negated. A NaN keeps its sign.
struct FusedSigns {
    bool product, addend;
};

// Under the MXCSR bits of `control`. The first NaN of x, y, z is the result if there is one.
template <class F>
Rounded<F> multiply_add(typename F::Bits x, typename F::Bits y, typename F::Bits z,
                        FusedSigns negated, u32 control);

extern template Rounded<SingleFormat> multiply_add<SingleFormat>(u32, u32, u32, FusedSigns, u32);
extern template Rounded<DoubleFormat> multiply_add<DoubleFormat>(u64, u64, u64, FusedSigns, u32);

}  // namespace uchronia::cpu::interp::avx_float
