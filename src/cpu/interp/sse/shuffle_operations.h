// Shuffles of one 128-bit register by an immediate, as functions of values: what the forms of SSE
// and, lane by lane, those of AVX are made of.
#pragma once

#include <algorithm>

#include "cpu/interp/sse/byte_shift.h"
#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::sse {

struct alignas(16) ShuffleControl {
    std::array<u8, 16> bytes;
};

// PSHUFB controls of PSHUFD by its immediate.
inline constexpr std::array<ShuffleControl, 256> kDwordControls = [] {
    std::array<ShuffleControl, 256> controls{};
    for (unsigned immediate = 0; immediate < 256; ++immediate) {
        for (unsigned i = 0; i < 16; ++i) {
            const unsigned element = (immediate >> (2 * (i / 4))) & 3u;
            controls[immediate].bytes[i] = static_cast<u8>(4 * element + i % 4);
        }
    }
    return controls;
}();

// The same for the four words of one half.
inline constexpr std::array<u64, 256> kWordControls = [] {
    std::array<u64, 256> controls{};
    for (unsigned immediate = 0; immediate < 256; ++immediate) {
        for (unsigned i = 0; i < 8; ++i) {
            const unsigned element = (immediate >> (2 * (i / 2))) & 3u;
            controls[immediate] |= u64{2 * element + i % 2} << (8 * i);
        }
    }
    return controls;
}();
inline constexpr u64 kIdentityLow = 0x0706050403020100, kIdentityHigh = 0x0f0e0d0c0b0a0908;

inline constexpr auto shuffle_dwords = [](__m128i, __m128i b, u8 immediate) {
    const auto* control = reinterpret_cast<const __m128i*>(&kDwordControls[immediate]);
    return _mm_shuffle_epi8(b, _mm_load_si128(control));
};
inline constexpr auto shuffle_low_words = [](__m128i, __m128i b, u8 immediate) {
    const u64 low = kWordControls[immediate];
    return _mm_shuffle_epi8(b,
                            _mm_set_epi64x(static_cast<i64>(kIdentityHigh), static_cast<i64>(low)));
};
inline constexpr auto shuffle_high_words = [](__m128i, __m128i b, u8 immediate) {
    const u64 high = kWordControls[immediate] + 0x0808080808080808;
    return _mm_shuffle_epi8(b,
                            _mm_set_epi64x(static_cast<i64>(high), static_cast<i64>(kIdentityLow)));
};
inline constexpr auto shuffle_singles = [](__m128i a, __m128i b, u8 immediate) {
    const __m128i low = shuffle_dwords(a, a, immediate);
    return merge_halves(low, shuffle_dwords(b, b, immediate));
};
inline constexpr auto shuffle_doubles = [](__m128i a, __m128i b, u8 immediate) {
    const __m128i low = (immediate & 1) != 0 ? _mm_unpackhi_epi64(a, a) : a;
    const __m128i high = (immediate & 2) != 0 ? b : _mm_unpacklo_epi64(b, b);
    return merge_halves(low, high);
};

// The 32 bytes a:b, shifted right.
inline constexpr auto align_bytes = [](__m128i a, __m128i b, u8 immediate) {
    const unsigned count = std::min<unsigned>(immediate, 32);
    const __m128i low = shift_bytes_right(b, std::min(count, 16u));
    const __m128i high =
        count <= 16 ? shift_bytes_left(a, 16 - count) : shift_bytes_right(a, count - 16);
    return _mm_or_si128(low, high);
};

}  // namespace uchronia::cpu::interp::sse
