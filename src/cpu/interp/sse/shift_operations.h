// Shifts of a 128-bit value by an immediate count.
#pragma once

#include <algorithm>

#include "cpu/interp/sse/byte_shift.h"

namespace uchronia::cpu::interp::sse {

// The count of an immediate form, as the register form takes it.
template <auto F>
inline constexpr auto by_immediate =
    [](__m128i value, u8 count) { return F(value, _mm_cvtsi32_si128(count)); };

inline constexpr auto right_bytes = [](__m128i value, u8 count) {
    return shift_bytes_right(value, std::min<unsigned>(count, 16));
};
inline constexpr auto left_bytes = [](__m128i value, u8 count) {
    return shift_bytes_left(value, std::min<unsigned>(count, 16));
};

}  // namespace uchronia::cpu::interp::sse
