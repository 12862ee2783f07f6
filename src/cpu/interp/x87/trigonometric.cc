// FSIN, FCOS, FSINCOS, FPTAN and FPATAN (transcendental.h).
#include "cpu/interp/x87/arithmetic.h"
#include "cpu/interp/x87/transcendental.h"
#include "cpu/interp/x87/wide.h"

namespace uchronia::cpu::interp::x87 {

namespace {

// pi/2 of the hardware in units of 2^-65: the first 66 bits of pi.
constexpr u128 kHalfPi66 = wide_bits(0x3, 0x243f6a8885a308d3);
constexpr i32 kLargestExponent = 62;

struct Reduced {
    Wide angle;         // in [-pi/4, pi/4]
    unsigned quadrant;  // operand = quadrant * pi/2 + angle, modulo 2 pi
};

// Exact. The operand is finite, below 2^63.
Reduced reduce(const Number& operand) {
    const Wide angle{operand.sign, operand.exponent, static_cast<u128>(operand.significand) << 64};
    if (operand.exponent < -1)
        return {angle, 0};
    // From 1/2 on the lowest bit of the operand is at least 2^-64.
    const u128 units = static_cast<u128>(operand.significand) << (operand.exponent + 2);
    unsigned quadrant = static_cast<unsigned>((units / kHalfPi66) & 3);
    u128 rest = units % kHalfPi66;
    bool sign = operand.sign;
    if (rest > kHalfPi66 - rest) {
        rest = kHalfPi66 - rest;
        sign = !sign;
        quadrant = (quadrant + 1) & 3;
    }
    if (operand.sign)
        quadrant = (4 - quadrant) & 3;
    return {make_wide(sign, 62, rest), quadrant};
}

// 1 - z/(n(n-1)) (1 - z/((n-2)(n-3)) (...)), rounded down, so that it stays below 1 for the
// smallest z, as the function does.
Fixed alternating_series(Fixed z, unsigned last) {
    Fixed sum = kFixedOne;
    for (unsigned n = last + 32; n >= last; n -= 2)
        sum = kFixedOne - multiply_fixed(z, sum) / (n * (n - 1)) - 1;
    return sum;
}

Wide sine_kernel(const Wide& angle) {
    const Fixed z = to_fixed(multiply(angle, angle));
    return multiply(angle, from_fixed(alternating_series(z, 3)));
}

Wide cosine_kernel(const Wide& angle) {
    return from_fixed(alternating_series(to_fixed(multiply(angle, angle)), 2));
}

Wide sine_of(const Reduced& r) {
    const Wide value = (r.quadrant & 1) != 0 ? cosine_kernel(r.angle) : sine_kernel(r.angle);
    return (r.quadrant & 2) != 0 ? negate(value) : value;
}

Wide cosine_of(const Reduced& r) {
    return sine_of({r.angle, (r.quadrant + 1) & 3});
}

// Rounds a result that is known not to be representable.
Extended inexact(Context& c, const Wide& w) {
    return pack(c, w.sign, w.exponent, w.significand | 1, 64);
}

// atan(q) for q in [0, 1/2]: Euler's series is not needed, z <= 1/4 gives two bits a term.
Wide arctangent_series(const Wide& q) {
    const Fixed z = to_fixed(multiply(q, q));
    Fixed sum = kFixedOne - 1, power = multiply_fixed(kFixedOne - 1, z);
    for (unsigned n = 3; power != 0; n += 2, power = multiply_fixed(power, z)) {
        if ((n & 2) != 0)
            sum -= power / n;
        else
            sum += power / n;
    }
    return multiply(q, from_fixed(sum));
}

// atan(small / large) for 0 < small <= large, both with 64-bit significands.
Wide arctangent_of_ratio(const Wide& small, const Wide& large) {
    const Wide q = divide(small, large);
    if (q.exponent < -1)
        return arctangent_series(q);
    // pi/4 - atan((large - small) / (large + small)), whose argument is at most 1/3.
    const Wide quarter = times_power_of_two(kPi, -2);
    const Wide difference = add(large, negate(small));
    if (difference.significand == 0)
        return quarter;
    return add(quarter, negate(arctangent_series(divide(difference, add(large, small)))));
}

Wide wide(const Number& n) {
    return {false, n.exponent, static_cast<u128>(n.significand) << 64};
}

Extended with_sign(Context& c, bool sign, Wide w) {
    w.sign = sign;
    return inexact(c, w);
}

// The angle of infinite operands.
Extended arctangent_of_infinity(Context& c, const Number& y, const Number& x) {
    if (y.kind != Kind::kInfinity)
        return x.sign ? with_sign(c, y.sign, kPi) : zero(y.sign);
    const Wide half = times_power_of_two(kPi, -1);
    if (x.kind != Kind::kInfinity)
        return with_sign(c, y.sign, half);
    const Wide quarter = times_power_of_two(kPi, -2);
    return with_sign(c, y.sign, x.sign ? add(half, quarter) : quarter);
}

// Sine and cosine, or tangent and 1: the two results that need no computation are the same.
struct TwoResults {
    Extended first, second;
    bool out_of_range;
};
std::optional<TwoResults> without_computation(Context& c, const Number& operand) {
    if (const auto nan = nan_result(c, operand))
        return TwoResults{*nan, *nan, false};
    if (operand.kind == Kind::kInfinity) {
        const Extended result = invalid(c);
        return TwoResults{result, result, false};
    }
    if (operand.kind == Kind::kZero)
        return TwoResults{zero(operand.sign), kOne, false};
    if (operand.exponent > kLargestExponent)
        return TwoResults{{}, {}, true};
    return std::nullopt;
}

}  // namespace

SineCosine sine_cosine(Context& c, const Number& operand, Wanted wanted) {
    if (const auto special = without_computation(c, operand))
        return {special->first, special->second, special->out_of_range};
    note_denormals(c, operand);
    const Reduced r = reduce(operand);
    SineCosine result{{}, {}, false};
    if (wanted != Wanted::kCosine)
        result.sine = inexact(c, sine_of(r));
    if (wanted != Wanted::kSine)
        result.cosine = inexact(c, cosine_of(r));
    return result;
}

Tangent partial_tangent(Context& c, const Number& operand) {
    if (const auto special = without_computation(c, operand))
        return {special->first, special->second, special->out_of_range};
    note_denormals(c, operand);
    const Reduced r = reduce(operand);
    return {inexact(c, divide(sine_of(r), cosine_of(r))), kOne, false};
}

Extended partial_arctangent(Context& c, const Number& y, const Number& x) {
    if (const auto nan = nan_result(c, y, x))
        return *nan;
    note_denormals(c, y, x);
    if (y.kind == Kind::kInfinity || x.kind == Kind::kInfinity)
        return arctangent_of_infinity(c, y, x);
    if (y.kind == Kind::kZero)
        return x.sign ? with_sign(c, y.sign, kPi) : zero(y.sign);
    const Wide half = times_power_of_two(kPi, -1);
    if (x.kind == Kind::kZero)
        return with_sign(c, y.sign, half);
    const Wide a = wide(y), b = wide(x);
    const bool steep =
        a.exponent > b.exponent || (a.exponent == b.exponent && a.significand > b.significand);
    Wide angle = steep ? add(half, negate(arctangent_of_ratio(b, a))) : arctangent_of_ratio(a, b);
    if (x.sign)
        angle = add(kPi, negate(angle));
    return with_sign(c, y.sign, angle);
}

}  // namespace uchronia::cpu::interp::x87
