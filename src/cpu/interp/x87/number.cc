#include "cpu/interp/x87/number.h"

#include <array>
#include <bit>

namespace uchronia::cpu::interp::x87 {

unsigned Context::precision() const {
    static constexpr std::array<u8, 4> kPrecisions = {24, 64, 53, 64};
    return kPrecisions[(control >> 8) & 3];
}

u128 shift_right_sticky(u128 value, u32 count) {
    if (count == 0)
        return value;
    if (count >= 128)
        return value != 0;
    const bool lost = (value << (128 - count)) != 0;
    return (value >> count) | (lost ? 1 : 0);
}

unsigned leading_zeros(u128 value) {
    const u64 high = static_cast<u64>(value >> 64);
    return high != 0 ? static_cast<unsigned>(std::countl_zero(high))
                     : 64 + static_cast<unsigned>(std::countl_zero(static_cast<u64>(value)));
}

namespace {

Number normalised(bool sign, bool denormal, i32 exponent, u64 significand) {
    const int shift = std::countl_zero(significand);
    return {Kind::kFinite, sign, denormal, exponent - shift, significand << shift};
}

// A 32- or 64-bit format: `fraction` at the top of the word below the integer bit.
Number unpack_implicit(const Format& format, bool sign, u32 exponent, u64 fraction) {
    const u32 special = static_cast<u32>(2 * format.maximum_exponent + 1);
    if (exponent == special)
        return {fraction == 0 ? Kind::kInfinity : Kind::kNaN, sign, false, 0,
                kIntegerBit | fraction};
    if (exponent != 0)
        return {Kind::kFinite, sign, false, static_cast<i32>(exponent) - format.maximum_exponent,
                kIntegerBit | fraction};
    if (fraction == 0)
        return {Kind::kZero, sign, false, 0, 0};
    return normalised(sign, true, format.minimum_exponent, fraction);
}

struct Cut {
    u128 kept;
    bool inexact, up, carry;
};

bool rounds_up(Rounding rounding, bool sign, bool odd, bool half_or_more, bool exactly_half) {
    switch (rounding) {
        case Rounding::kNearest:
            return half_or_more && (odd || !exactly_half);
        case Rounding::kDown:
            return sign;
        case Rounding::kUp:
            return !sign;
        case Rounding::kZero:
            return false;
    }
    return false;
}

// Keeps the upper `precision` bits (1..127).
Cut cut(u128 significand, unsigned precision, Rounding rounding, bool sign) {
    const u128 unit = u128{1} << (128 - precision);
    const u128 rest = significand & (unit - 1);
    const u128 kept = significand & ~(unit - 1);
    if (rest == 0)
        return {kept, false, false, false};
    const bool up =
        rounds_up(rounding, sign, (significand & unit) != 0, rest >= unit / 2, rest == unit / 2);
    const u128 result = up ? kept + unit : kept;
    const bool carry = up && result == 0;
    return {carry ? u128{1} << 127 : result, true, up, carry};
}

u64 top(u128 significand) {
    return static_cast<u64>(significand >> 64);
}

Rounded masked_overflow(Context& c, const Format& format, bool sign) {
    c.raise(exception::kOverflow | exception::kPrecision);
    const Rounding mode = c.rounding();
    const bool to_infinity =
        mode == Rounding::kNearest || mode == (sign ? Rounding::kDown : Rounding::kUp);
    c.c1 = to_infinity;
    const u32 special = static_cast<u32>(2 * format.maximum_exponent + 1);
    if (to_infinity)
        return {special, kIntegerBit};
    return {special - 1, ~u64{0} << (64 - format.precision)};
}

Rounded denormalised(Context& c, const Format& format, bool sign, i32 exponent, u128 significand) {
    const u128 shifted =
        shift_right_sticky(significand, static_cast<u32>(format.minimum_exponent - exponent));
    const Cut result = cut(shifted, format.precision, c.rounding(), sign);
    if (result.inexact)
        c.raise(exception::kUnderflow | exception::kPrecision);
    c.c1 = result.up;
    const bool normal = (result.kept >> 127) != 0;
    return {normal ? 1u : 0u, top(result.kept)};
}

}  // namespace

Number unpack(const Extended& value) {
    const bool sign = (value.exponent >> 15) != 0;
    const i32 exponent = value.exponent & 0x7fff;
    const bool integer_bit = (value.mantissa & kIntegerBit) != 0;
    if (exponent == 0) {
        if (value.mantissa == 0)
            return {Kind::kZero, sign, false, 0, 0};
        return normalised(sign, true, 1 - kExtendedBias, value.mantissa);
    }
    if (!integer_bit)  // unnormal, pseudo-infinity, pseudo-NaN
        return {Kind::kUnsupported, sign, false, 0, value.mantissa};
    if (exponent == 0x7fff)
        return {value.mantissa == kIntegerBit ? Kind::kInfinity : Kind::kNaN, sign, false, 0,
                value.mantissa};
    return {Kind::kFinite, sign, false, exponent - kExtendedBias, value.mantissa};
}

Number unpack_single(u32 bits) {
    return unpack_implicit(kSingle, (bits >> 31) != 0, (bits >> 23) & 0xff,
                           static_cast<u64>(bits & 0x7fffff) << 40);
}

Number unpack_double(u64 bits) {
    return unpack_implicit(kDouble, (bits >> 63) != 0, static_cast<u32>(bits >> 52) & 0x7ff,
                           (bits & ((u64{1} << 52) - 1)) << 11);
}

Number unpack_integer(i64 value) {
    if (value == 0)
        return {};
    const u64 magnitude = value < 0 ? ~static_cast<u64>(value) + 1 : static_cast<u64>(value);
    return normalised(value < 0, false, 63, magnitude);
}

Extended zero(bool sign) {
    return {0, static_cast<u16>(sign ? 0x8000 : 0)};
}

Extended infinity(bool sign) {
    return {kIntegerBit, static_cast<u16>(sign ? 0xffff : 0x7fff)};
}

Extended quiet(const Number& nan) {
    return {nan.significand | kQuietBit, static_cast<u16>(nan.sign ? 0xffff : 0x7fff)};
}

Extended invalid(Context& c) {
    c.raise(exception::kInvalid);
    return kIndefinite;
}

Rounded round_to(Context& c, const Format& format, bool sign, i32 exponent, u128 significand) {
    const Cut result = cut(significand, format.precision, c.rounding(), sign);
    i32 rounded_exponent = exponent + (result.carry ? 1 : 0);
    if (rounded_exponent > format.maximum_exponent) {
        if ((c.control & exception::kOverflow) != 0)
            return masked_overflow(c, format, sign);
        c.raise(exception::kOverflow);
        rounded_exponent -= format.bias_adjustment;
    } else if (rounded_exponent < format.minimum_exponent) {  // tiny, as seen after rounding
        if ((c.control & exception::kUnderflow) != 0)
            return denormalised(c, format, sign, exponent, significand);
        c.raise(exception::kUnderflow);
        rounded_exponent += format.bias_adjustment;
    }
    // FSCALE can miss the range by more than the adjustment: infinity or zero then.
    const bool far_above = rounded_exponent > format.maximum_exponent;
    const bool far_below = rounded_exponent < format.minimum_exponent;
    if (far_above || far_below) {
        c.raise(exception::kPrecision);
        c.c1 = far_above;
        if (far_above)
            return {static_cast<u32>(2 * format.maximum_exponent + 1), kIntegerBit};
        return {0, 0};
    }
    if (result.inexact)
        c.raise(exception::kPrecision);
    c.c1 = result.up;
    return {static_cast<u32>(rounded_exponent + format.maximum_exponent), top(result.kept)};
}

Extended pack(Context& c, bool sign, i32 exponent, u128 significand, unsigned precision) {
    const unsigned shift = leading_zeros(significand);
    const Rounded r = round_to(c, extended_format(precision), sign,
                               exponent - static_cast<i32>(shift), significand << shift);
    return {r.significand, static_cast<u16>(r.exponent | (sign ? 0x8000u : 0u))};
}

RoundedInteger round_to_integer(const Number& number, Rounding rounding) {
    const u128 fixed = shift_right_sticky(static_cast<u128>(number.significand) << 64,
                                          static_cast<u32>(63 - number.exponent));
    const u64 fraction = static_cast<u64>(fixed);
    const u64 whole = top(fixed);
    if (fraction == 0)
        return {whole, false, false};
    const bool up = rounds_up(rounding, number.sign, (whole & 1) != 0, (fraction >> 63) != 0,
                              fraction == kIntegerBit);
    return {whole + (up ? 1 : 0), true, up};
}

}  // namespace uchronia::cpu::interp::x87
