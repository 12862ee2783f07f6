// Numbers with a 128-bit significand, and fixed-point fractions, for the transcendental functions.
//
// Results are truncated: each operation loses less than 2^-125 of its result. No exceptions, no
// infinities; the callers know their operands.
//
// Invariants: the significand of a Wide is 0 (zero) or has bit 127 set; its value is
// significand * 2^(exponent - 127).
#pragma once

#include "base/types.h"

namespace uchronia::cpu::interp::x87 {

struct Wide {
    bool sign = false;
    i32 exponent = 0;
    u128 significand = 0;
};

constexpr u128 wide_bits(u64 high, u64 low) {
    return (static_cast<u128>(high) << 64) | low;
}

inline constexpr Wide kWideOne{false, 0, u128{1} << 127};
inline constexpr Wide kPi{false, 1, wide_bits(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1)};
inline constexpr Wide kLn2{false, -1, wide_bits(0xb17217f7d1cf79ab, 0xc9e3b39803f2f6af)};
inline constexpr Wide kLog2E{false, 0, wide_bits(0xb8aa3b295c17f0bb, 0xbe87fed0691d3e88)};
inline constexpr Wide kLog2Of10{false, 1, wide_bits(0xd49a784bcd1b8afe, 0x492bf6ff4dafdb4c)};
inline constexpr Wide kLog10Of2{false, -2, wide_bits(0x9a209a84fbcff798, 0x8f8959ac0b7c9178)};

// significand * 2^(exponent - 127) with any significand.
Wide make_wide(bool sign, i32 exponent, u128 significand);
Wide multiply(const Wide& a, const Wide& b);
Wide divide(const Wide& a, const Wide& b);  // b is not zero
Wide add(const Wide& a, const Wide& b);
constexpr Wide negate(Wide a) {
    a.sign = !a.sign;
    return a;
}
constexpr Wide times_power_of_two(Wide a, i32 power) {
    a.exponent += power;
    return a;
}

// Unsigned fixed point with 126 fraction bits: [0, 4).
using Fixed = u128;
inline constexpr Fixed kFixedOne = u128{1} << 126;
Fixed to_fixed(const Wide& a);  // of the magnitude, which is below 4
Wide from_fixed(Fixed a);
Fixed multiply_fixed(Fixed a, Fixed b);

}  // namespace uchronia::cpu::interp::x87
