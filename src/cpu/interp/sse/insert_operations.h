// INSERTPS on values.
#pragma once

#include "cpu/interp/sse/operand.h"

namespace uchronia::cpu::interp::sse {

// INSERTPS: bits 4-5 of the immediate choose the destination, bits 0-3 what becomes zero.
inline __m128i insert_single(__m128i destination, u32 value, u8 immediate) {
    alignas(16) u32 elements[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(elements), destination);
    elements[(immediate >> 4) & 3] = value;
    for (unsigned i = 0; i < 4; ++i) {
        if (((immediate >> i) & 1) != 0)
            elements[i] = 0;
    }
    return _mm_load_si128(reinterpret_cast<const __m128i*>(elements));
}
// Bits 6-7 choose the source element of the register form.
inline constexpr auto insert_chosen_single = [](__m128i a, __m128i b, u8 immediate) {
    const __m128i half = (immediate & 0x80) != 0 ? _mm_unpackhi_epi64(b, b) : b;
    const u64 shift = (immediate & 0x40) != 0 ? 32 : 0;
    return insert_single(a, static_cast<u32>(low_half(half) >> shift), immediate);
};
inline constexpr auto insert_low_single = [](__m128i a, __m128i b, u8 immediate) {
    return insert_single(a, static_cast<u32>(low_half(b)), immediate);
};

}  // namespace uchronia::cpu::interp::sse
