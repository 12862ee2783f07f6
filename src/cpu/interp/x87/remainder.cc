#include "cpu/interp/x87/remainder.h"

#include "cpu/interp/x87/arithmetic.h"

namespace uchronia::cpu::interp::x87 {

namespace {

constexpr unsigned kFullPrecision = 64;

Extended exact(Context& c, const Number& n) {
    return pack(c, n.sign, n.exponent, static_cast<u128>(n.significand) << 64, kFullPrecision);
}

// dividend - quotient * divisor * 2^step, where the dividend is `shift` bits above divisor *
// 2^step.
Remainder reduce(Context& c, const Number& a, const Number& b, unsigned shift, i32 step,
                 Quotient kind) {
    const u128 dividend = static_cast<u128>(a.significand) << shift;
    u128 quotient = dividend / b.significand;
    u128 rest = dividend % b.significand;
    bool sign = a.sign;
    if (kind == Quotient::kNearest) {
        const u128 other = b.significand - rest;
        if (rest > other || (rest == other && (quotient & 1) != 0)) {
            ++quotient;
            rest = other;
            sign = !sign;
        }
    }
    const Extended value =
        rest == 0 ? zero(a.sign) : pack(c, sign, b.exponent + step + 64, rest, kFullPrecision);
    return {value, static_cast<u64>(quotient), true, false};
}

// A dividend below the divisor, down to half of it: FPREM1 may still round the quotient to 1.
Remainder reduce_half(Context& c, const Number& a, const Number& b) {
    const u128 divisor = static_cast<u128>(b.significand) << 1;
    const u128 other = divisor - a.significand;
    if (a.significand <= other)
        return {exact(c, a), 0, true, false};
    return {pack(c, !a.sign, a.exponent + 64, other, kFullPrecision), 1, true, false};
}

}  // namespace

Remainder remainder(Context& c, const Number& a, const Number& b, Quotient kind) {
    if (const auto nan = nan_result(c, a, b))
        return {*nan, 0, false, false};
    if (a.kind == Kind::kInfinity || b.kind == Kind::kZero)
        return {invalid(c), 0, false, false};
    note_denormals(c, a, b);
    if (a.kind == Kind::kZero)
        return {zero(a.sign), 0, true, false};
    if (b.kind == Kind::kInfinity)
        return {exact(c, a), 0, true, false};
    const i32 difference = a.exponent - b.exponent;
    if (difference >= 64) {
        // How far one step goes is the processor's choice, 32 to 63 bits; this is what hardware
        // of both vendors does.
        const u32 bits = 32 + (static_cast<u32>(difference) & 31);
        Remainder r =
            reduce(c, a, b, bits, difference - static_cast<i32>(bits), Quotient::kTruncated);
        r.quotient = 0;
        r.incomplete = true;
        return r;
    }
    if (difference >= 0)
        return reduce(c, a, b, static_cast<unsigned>(difference), 0, kind);
    if (difference == -1 && kind == Quotient::kNearest)
        return reduce_half(c, a, b);
    return {exact(c, a), 0, true, false};
}

Extended scale(Context& c, const Number& number, const Number& scale) {
    if (const auto nan = nan_result(c, number, scale))
        return *nan;
    if (scale.kind == Kind::kInfinity) {
        if (number.kind == (scale.sign ? Kind::kInfinity : Kind::kZero))
            return invalid(c);
        note_denormals(c, number);
        return scale.sign ? zero(number.sign) : infinity(number.sign);
    }
    note_denormals(c, number, scale);
    if (number.kind == Kind::kZero)
        return zero(number.sign);
    if (number.kind == Kind::kInfinity)
        return infinity(number.sign);
    if (scale.kind == Kind::kZero || scale.exponent < 0)
        return exact(c, number);
    // Beyond this every result is out of range, even after the adjustment for unmasked exceptions.
    constexpr i32 kLimit = 0x20000;
    const i32 magnitude = scale.exponent >= 17
                              ? kLimit
                              : static_cast<i32>(scale.significand >> (63 - scale.exponent));
    Number scaled = number;
    scaled.exponent += scale.sign ? -magnitude : magnitude;
    return exact(c, scaled);
}

Extracted extract(Context& c, const Number& number) {
    if (const auto nan = nan_result(c, number))
        return {*nan, *nan};
    if (number.kind == Kind::kInfinity)
        return {infinity(false), infinity(number.sign)};
    if (number.kind == Kind::kZero) {
        c.raise(exception::kZeroDivide);
        return {infinity(true), zero(number.sign)};
    }
    note_denormals(c, number);
    const Number exponent = unpack_integer(number.exponent);
    Number significand = number;
    significand.exponent = 0;
    return {exponent.kind == Kind::kZero ? zero(false) : exact(c, exponent), exact(c, significand)};
}

Extended round_to_integral(Context& c, const Number& number) {
    if (const auto special = special_value(c, number))
        return *special;
    note_denormals(c, number);
    if (number.exponent >= 63)
        return exact(c, number);
    const RoundedInteger r = round_to_integer(number, c.rounding());
    const Extended value = r.magnitude == 0
                               ? zero(number.sign)
                               : pack(c, number.sign, 127, r.magnitude, kFullPrecision);
    if (r.inexact)
        c.raise(exception::kPrecision);
    c.c1 = r.up;
    return value;
}

}  // namespace uchronia::cpu::interp::x87
