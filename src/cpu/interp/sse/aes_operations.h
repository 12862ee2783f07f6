// The AES and carry-less operations whose immediate the host takes as a constant only.
#pragma once

#include <wmmintrin.h>

#include "base/types.h"

namespace uchronia::cpu::interp::sse {

// The round constant is only XORed into doublewords 1 and 3, so it can be added afterwards.
inline __m128i assist_key(__m128i, __m128i source, u8 immediate) {
    const __m128i constant = _mm_set_epi32(immediate, 0, immediate, 0);
    return _mm_xor_si128(_mm_aeskeygenassist_si128(source, 0), constant);
}

// Immediate bits 0 and 4 choose the half of the first and of the second operand.
inline __m128i multiply_carryless(__m128i a, __m128i b, u8 immediate) {
    const __m128i first = (immediate & 1) != 0 ? _mm_unpackhi_epi64(a, a) : a;
    const __m128i second_half = (immediate & 16) != 0 ? _mm_unpackhi_epi64(b, b) : b;
    return _mm_clmulepi64_si128(first, second_half, 0);
}

}  // namespace uchronia::cpu::interp::sse
