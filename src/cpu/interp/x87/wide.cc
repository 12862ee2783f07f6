#include "cpu/interp/x87/wide.h"

#include <utility>

#include "cpu/interp/x87/number.h"

namespace uchronia::cpu::interp::x87 {

namespace {

u128 multiply_high(u128 a, u128 b) {
    const u64 a_low = static_cast<u64>(a), a_high = static_cast<u64>(a >> 64);
    const u64 b_low = static_cast<u64>(b), b_high = static_cast<u64>(b >> 64);
    const u128 low = static_cast<u128>(a_low) * b_low;
    const u128 middle = static_cast<u128>(a_high) * b_low + (low >> 64);
    const u128 other = static_cast<u128>(a_low) * b_high + static_cast<u64>(middle);
    return static_cast<u128>(a_high) * b_high + (middle >> 64) + (other >> 64);
}

}  // namespace

Wide make_wide(bool sign, i32 exponent, u128 significand) {
    if (significand == 0)
        return {sign, 0, 0};
    const unsigned shift = leading_zeros(significand);
    return {sign, exponent - static_cast<i32>(shift), significand << shift};
}

Wide multiply(const Wide& a, const Wide& b) {
    return make_wide(a.sign != b.sign, a.exponent + b.exponent + 1,
                     multiply_high(a.significand, b.significand));
}

Wide divide(const Wide& a, const Wide& b) {
    // Restoring division, 128 quotient bits after the first 1.
    u128 rest = a.significand;
    i32 exponent = a.exponent - b.exponent;
    bool carry = false;
    if (rest < b.significand) {
        carry = (rest >> 127) != 0;
        rest <<= 1;
        --exponent;
    }
    u128 quotient = 0;
    for (int bit = 0; bit < 128; ++bit) {
        quotient <<= 1;
        if (carry || rest >= b.significand) {
            rest -= b.significand;
            quotient |= 1;
        }
        carry = (rest >> 127) != 0;
        rest <<= 1;
    }
    return make_wide(a.sign != b.sign, exponent, quotient);
}

Wide add(const Wide& a, const Wide& b) {
    if (a.significand == 0)
        return b;
    if (b.significand == 0)
        return a;
    const Wide* large = &a;
    const Wide* small = &b;
    if (b.exponent > a.exponent || (b.exponent == a.exponent && b.significand > a.significand))
        std::swap(large, small);
    const u32 distance = static_cast<u32>(large->exponent - small->exponent);
    const u128 x = large->significand >> 1;
    const u128 y = shift_right_sticky(small->significand >> 1, distance);
    return make_wide(large->sign, large->exponent + 1, a.sign == b.sign ? x + y : x - y);
}

Fixed to_fixed(const Wide& a) {
    const i32 shift = 1 - a.exponent;
    return shift >= 128 ? 0 : a.significand >> shift;
}

Wide from_fixed(Fixed a) {
    return make_wide(false, 1, a);
}

Fixed multiply_fixed(Fixed a, Fixed b) {
    return multiply_high(a, b) << 2;
}

}  // namespace uchronia::cpu::interp::x87
