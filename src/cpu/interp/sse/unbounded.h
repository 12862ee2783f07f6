// Whether an operation is inexact when its result may have any exponent.
//
// An unmasked overflow or underflow is signalled with the precision flag of the result as rounded
// to its format's fraction, before the exponent is looked at; with the exception masked, the host
// tells the precision of the result that is delivered (an infinity, a denormal). The x87 has what
// it takes: its precision control rounds fractions to 24 or 53 bits within a 15-bit exponent.
//
// Used only when such an exception is about to be raised; exactness of all elements together.
//
// Source: APM vol. 1, 4.10.2 and 6.4.2 (precision control).
#pragma once

#include <emmintrin.h>

#include "base/types.h"

namespace uchronia::cpu::interp::sse {

// Of destination `a` and source `b` under the MXCSR bits of `control`.
using Inexact = bool (*)(__m128i a, __m128i b, u32 control);

enum class Step : u8 { kAdd, kSubtract, kMultiply, kDivide };
// Which elements belong together.
enum class Pairing : u8 {
    kScalar,       // a[0], b[0]
    kPacked,       // a[i], b[i]
    kAlternating,  // the same; the even ones are subtracted (ADDSUB)
    kHorizontal,   // a[2i], a[2i+1]; then the same of b
};

bool inexact_singles(__m128i a, __m128i b, u32 control, Step step, Pairing pairing);
bool inexact_doubles(__m128i a, __m128i b, u32 control, Step step, Pairing pairing);

// CVTSD2SS and CVTPD2PS.
bool inexact_narrowing_scalar(__m128i a, __m128i b, u32 control);
bool inexact_narrowing_packed(__m128i a, __m128i b, u32 control);

// For operations that neither overflow nor underflow: never asked.
inline bool never_inexact(__m128i, __m128i, u32) {
    return false;
}

template <Step step, Pairing pairing>
bool singles(__m128i a, __m128i b, u32 control) {
    return inexact_singles(a, b, control, step, pairing);
}
template <Step step, Pairing pairing>
bool doubles(__m128i a, __m128i b, u32 control) {
    return inexact_doubles(a, b, control, step, pairing);
}

}  // namespace uchronia::cpu::interp::sse
