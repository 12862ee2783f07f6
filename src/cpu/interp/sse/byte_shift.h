// Shifts of a whole register by a number of bytes that is not a constant.
#pragma once

#include <tmmintrin.h>

#include <array>

#include "base/types.h"

namespace uchronia::cpu::interp::sse {

// Control bytes for PSHUFB: 16 zeroing ones, the identity, 16 zeroing ones. A window that starts n
// bytes after (before) the identity shifts right (left) by n bytes.
inline constexpr std::array<u8, 48> kByteWindow = [] {
    std::array<u8, 48> window{};
    window.fill(0x80);
    for (u8 i = 0; i < 16; ++i)
        window[16u + i] = i;
    return window;
}();

// `count` is at most 16.
[[gnu::always_inline]] inline __m128i shift_bytes_right(__m128i value, unsigned count) {
    const auto* control = reinterpret_cast<const __m128i*>(&kByteWindow[16 + count]);
    return _mm_shuffle_epi8(value, _mm_loadu_si128(control));
}
[[gnu::always_inline]] inline __m128i shift_bytes_left(__m128i value, unsigned count) {
    const auto* control = reinterpret_cast<const __m128i*>(&kByteWindow[16 - count]);
    return _mm_shuffle_epi8(value, _mm_loadu_si128(control));
}

}  // namespace uchronia::cpu::interp::sse
