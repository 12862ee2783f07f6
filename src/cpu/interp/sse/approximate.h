// Approximate reciprocals: RCPPS, RCPSS, RSQRTPS, RSQRTSS.
//
// The manuals only bound the relative error (1.5 * 2^-12), and vendors differ; this is the canon of
// this computer. A table holds, for each of 2048 intervals of the argument, the exact value at the
// interval's midpoint rounded to 14 fraction bits, so that the error is below 2^-12 + 2^-15. No
// exception is signalled and MXCSR plays no part.
//
// Source of the special cases: APM vol. 4, RCPSS and RSQRTSS.
#pragma once

#include "base/types.h"

namespace uchronia::cpu::interp::sse {

// On the bits of a single-precision number.
u32 approximate_reciprocal(u32 value);
u32 approximate_reciprocal_square_root(u32 value);

}  // namespace uchronia::cpu::interp::sse
