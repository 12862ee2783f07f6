// F2XM1, FYL2X and FYL2XP1 (transcendental.h).
#include "cpu/interp/x87/arithmetic.h"
#include "cpu/interp/x87/transcendental.h"
#include "cpu/interp/x87/wide.h"

namespace uchronia::cpu::interp::x87 {

namespace {

Extended exact(Context& c, const Wide& w) {
    return pack(c, w.sign, w.exponent, w.significand, 64);
}

Extended inexact(Context& c, const Wide& w) {
    return pack(c, w.sign, w.exponent, w.significand | 1, 64);
}

Wide wide(const Number& n) {
    return {n.sign, n.exponent, static_cast<u128>(n.significand) << 64};
}

// (e^t - 1) / t for |t| <= ln 2.
Fixed exponential_series(const Wide& t) {
    const Fixed magnitude = to_fixed(t);
    Fixed sum = kFixedOne;
    for (unsigned n = 36; n >= 2; --n) {
        const Fixed term = multiply_fixed(magnitude, sum) / n;
        sum = t.sign ? kFixedOne - term : kFixedOne + term;
    }
    return sum;
}

// 2 log2(e) atanh(s) = log2((1 + s) / (1 - s)) for |s| <= 0.172.
Wide logarithm_series(const Wide& s) {
    const Fixed z = to_fixed(multiply(s, s));
    Fixed sum = kFixedOne, power = z;
    for (unsigned n = 3; power != 0; n += 2, power = multiply_fixed(power, z))
        sum += power / n;
    return multiply(multiply(s, from_fixed(sum)), times_power_of_two(kLog2E, 1));
}

// log2 of a positive number; of a power of two it is exact.
Wide logarithm(const Wide& x) {
    constexpr u128 kSquareRootOfTwo = wide_bits(0xb504f333f9de6484, 0x597d89b3754abe9f);
    Wide mantissa{false, 0, x.significand};
    i32 power = x.exponent;
    if (x.significand > kSquareRootOfTwo) {
        mantissa.exponent = -1;
        ++power;
    }
    const Wide numerator = add(mantissa, negate(kWideOne));
    const u32 magnitude = static_cast<u32>(power < 0 ? -power : power);
    const Wide whole = make_wide(power < 0, 127, magnitude);
    if (numerator.significand == 0)
        return whole;
    return add(whole, logarithm_series(divide(numerator, add(mantissa, kWideOne))));
}

bool is_power_of_two(const Wide& x) {
    return x.significand == u128{1} << 127;
}

// y * log2(x) for infinite y or x (x > 0, or an infinity that is not negative).
Extended y_log2_x_infinite(Context& c, const Number& y, const Number& x, bool x_is_one) {
    const bool below_one = x.kind == Kind::kZero || (x.kind == Kind::kFinite && x.exponent < 0);
    if (x_is_one || y.kind == Kind::kZero)
        return invalid(c);
    note_denormals(c, y, x);
    return infinity(y.sign != below_one);
}

}  // namespace

// Outside [-1, 1] the result is undefined: the operand is returned unchanged.
Extended two_to_x_minus_1(Context& c, const Number& x) {
    if (const auto nan = nan_result(c, x))
        return *nan;
    if (x.kind == Kind::kInfinity)
        return x.sign ? Extended{kIntegerBit, 0x8000 | kExtendedBias} : infinity(false);
    if (x.kind == Kind::kZero)
        return zero(x.sign);
    note_denormals(c, x);
    const Wide operand = wide(x);
    if (x.exponent > 0 || (x.exponent == 0 && !is_power_of_two(operand)))
        return exact(c, operand);
    if (x.exponent == 0)  // 2^1 - 1 and 2^-1 - 1
        return exact(c, x.sign ? Wide{true, -1, u128{1} << 127} : kWideOne);
    const Wide t = multiply(operand, kLn2);
    return inexact(c, multiply(t, from_fixed(exponential_series(t))));
}

Extended y_log2_x(Context& c, const Number& y, const Number& x) {
    if (const auto nan = nan_result(c, y, x))
        return *nan;
    if (x.sign && x.kind != Kind::kZero)
        return invalid(c);
    const bool x_is_one =
        x.kind == Kind::kFinite && x.exponent == 0 && x.significand == kIntegerBit;
    if (x.kind == Kind::kInfinity || y.kind == Kind::kInfinity)
        return y_log2_x_infinite(c, y, x, x_is_one);
    if (x.kind == Kind::kZero) {
        if (y.kind == Kind::kZero)
            return invalid(c);
        c.raise(exception::kZeroDivide);  // comes before #D
        return infinity(!y.sign);
    }
    note_denormals(c, y, x);
    const bool negative = y.sign != (x.exponent < 0);
    if (y.kind == Kind::kZero || x_is_one)
        return zero(negative);
    const Wide operand = wide(x);
    const Wide product = multiply(wide(y), logarithm(operand));
    return is_power_of_two(operand) ? exact(c, product) : inexact(c, product);
}

// Defined for |x| up to 1 - sqrt(1/2); we give the logarithm for all x > -1, and below that #I (#Z
// at exactly -1), as FYL2X does for x + 1.
Extended y_log2_x_plus_1(Context& c, const Number& y, const Number& x) {
    if (const auto nan = nan_result(c, y, x))
        return *nan;
    const bool sign = y.sign != x.sign;
    if (x.kind == Kind::kInfinity && x.sign)
        return invalid(c);
    if (x.kind == Kind::kInfinity || y.kind == Kind::kInfinity) {
        if (x.kind == Kind::kZero || y.kind == Kind::kZero)
            return invalid(c);
        if (x.kind == Kind::kFinite && x.sign && x.exponent >= 0)
            return invalid(c);
        note_denormals(c, y, x);
        return infinity(sign);
    }
    if (x.kind == Kind::kZero || (y.kind == Kind::kZero && !(x.sign && x.exponent >= 0))) {
        note_denormals(c, y, x);
        return zero(sign);
    }
    const Wide operand = wide(x);
    if (x.sign && x.exponent >= 0) {
        if (x.exponent > 0 || !is_power_of_two(operand) || y.kind == Kind::kZero)
            return invalid(c);
        c.raise(exception::kZeroDivide);  // comes before #D
        return infinity(!y.sign);
    }
    note_denormals(c, y, x);
    // Near zero through x / (2 + x), which loses nothing; elsewhere through 1 + x.
    if (x.exponent < -2) {
        const Wide two = times_power_of_two(kWideOne, 1);
        const Wide log = logarithm_series(divide(operand, add(two, operand)));
        return inexact(c, multiply(wide(y), log));
    }
    const Wide sum = add(kWideOne, operand);
    const Wide product = multiply(wide(y), logarithm(sum));
    return is_power_of_two(sum) ? exact(c, product) : inexact(c, product);
}

}  // namespace uchronia::cpu::interp::x87
