// MPSADBW: the host takes the positions of the blocks as a constant only.
#pragma once

#include <smmintrin.h>

#include "base/types.h"

namespace uchronia::cpu::interp::sse {

inline __m128i sum_block_differences(__m128i a, __m128i b, u8 immediate) {
    switch (immediate & 7) {
        case 0:
            return _mm_mpsadbw_epu8(a, b, 0);
        case 1:
            return _mm_mpsadbw_epu8(a, b, 1);
        case 2:
            return _mm_mpsadbw_epu8(a, b, 2);
        case 3:
            return _mm_mpsadbw_epu8(a, b, 3);
        case 4:
            return _mm_mpsadbw_epu8(a, b, 4);
        case 5:
            return _mm_mpsadbw_epu8(a, b, 5);
        case 6:
            return _mm_mpsadbw_epu8(a, b, 6);
        default:
            return _mm_mpsadbw_epu8(a, b, 7);
    }
}

}  // namespace uchronia::cpu::interp::sse
