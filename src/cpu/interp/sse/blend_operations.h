// Blends of 128-bit values: elements of `b` where a mask bit is set, else of `a`.
#pragma once

#include <smmintrin.h>

#include "base/types.h"

namespace uchronia::cpu::interp::sse {

// Element i of the result is all ones if bit i of `immediate` is set.
inline __m128i word_mask(u8 immediate) {
    const __m128i bits = _mm_set_epi16(128, 64, 32, 16, 8, 4, 2, 1);
    return _mm_cmpeq_epi16(_mm_and_si128(_mm_set1_epi16(immediate), bits), bits);
}
inline __m128i dword_mask(u8 immediate) {
    const __m128i bits = _mm_set_epi32(8, 4, 2, 1);
    return _mm_cmpeq_epi32(_mm_and_si128(_mm_set1_epi32(immediate), bits), bits);
}
inline __m128i qword_mask(u8 immediate) {
    const __m128i bits = _mm_set_epi64x(2, 1);
    return _mm_cmpeq_epi64(_mm_and_si128(_mm_set1_epi64x(immediate), bits), bits);
}

// By the signs of a mask's elements.
inline __m128i blend_bytes(__m128i a, __m128i b, __m128i mask) {
    return _mm_blendv_epi8(a, b, mask);
}
inline __m128i blend_singles(__m128i a, __m128i b, __m128i mask) {
    return _mm_blendv_epi8(a, b, _mm_srai_epi32(mask, 31));
}
inline __m128i blend_doubles(__m128i a, __m128i b, __m128i mask) {
    return _mm_blendv_epi8(a, b, _mm_shuffle_epi32(_mm_srai_epi32(mask, 31), 0xf5));
}

// By an immediate.
inline __m128i choose_words(__m128i a, __m128i b, u8 immediate) {
    return _mm_blendv_epi8(a, b, word_mask(immediate));
}
inline __m128i choose_dwords(__m128i a, __m128i b, u8 immediate) {
    return _mm_blendv_epi8(a, b, dword_mask(immediate));
}
inline __m128i choose_qwords(__m128i a, __m128i b, u8 immediate) {
    return _mm_blendv_epi8(a, b, qword_mask(immediate));
}

}  // namespace uchronia::cpu::interp::sse
