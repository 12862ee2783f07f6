#include "cpu/interp/x87/convert.h"

namespace uchronia::cpu::interp::x87 {

namespace {

// `implicit` is the number of fraction bits in the format.
u64 to_format(Context& c, const Format& format, unsigned implicit, const Number& number) {
    const unsigned sign_position =
        implicit + 1 + (format.maximum_exponent == kSingle.maximum_exponent ? 7u : 10u);
    const u64 sign = static_cast<u64>(number.sign) << sign_position;
    const u64 special = static_cast<u64>(2 * format.maximum_exponent + 1) << implicit;
    const u64 fraction_mask = (u64{1} << implicit) - 1;
    switch (number.kind) {
        case Kind::kZero:
            return sign;
        case Kind::kInfinity:
            return sign | special;
        case Kind::kUnsupported:
            c.raise(exception::kInvalid);
            return (u64{1} << sign_position) | special | (u64{1} << (implicit - 1));
        case Kind::kNaN: {
            if (number.signalling())
                c.raise(exception::kInvalid);
            const u64 payload = (number.significand | kQuietBit) >> (63 - implicit);
            return sign | special | (payload & fraction_mask);
        }
        case Kind::kFinite:
            break;
    }
    const Rounded r = round_to(c, format, number.sign, number.exponent,
                               static_cast<u128>(number.significand) << 64);
    return sign | (static_cast<u64>(r.exponent) << implicit) |
           ((r.significand >> (63 - implicit)) & fraction_mask);
}

// The integer magnitude of a number, if it is at most `limit`.
bool integer_magnitude(Context& c, const Number& number, Rounding rounding, u64 limit,
                       u64& magnitude) {
    magnitude = 0;
    if (number.kind == Kind::kZero)
        return true;
    if (number.kind != Kind::kFinite || number.exponent > 63)
        return false;
    const RoundedInteger r = round_to_integer(number, rounding);
    // An exponent of 63 leaves no fraction, so rounding up cannot carry out of 64 bits.
    if (r.magnitude > limit)
        return false;
    magnitude = r.magnitude;
    if (r.inexact)
        c.raise(exception::kPrecision);
    c.c1 = r.up;
    return true;
}

constexpr u64 kDecimalLimit = 999'999'999'999'999'999;

}  // namespace

u32 to_single(Context& c, const Number& number) {
    return static_cast<u32>(to_format(c, kSingle, 23, number));
}

u64 to_double(Context& c, const Number& number) {
    return to_format(c, kDouble, 52, number);
}

u64 to_integer(Context& c, const Number& number, unsigned bits, Rounding rounding) {
    const u64 most_negative = u64{1} << (bits - 1);
    u64 magnitude;
    if (!integer_magnitude(c, number, rounding, most_negative - (number.sign ? 0 : 1), magnitude)) {
        c.raise(exception::kInvalid);
        return most_negative;
    }
    return number.sign ? ~magnitude + 1 : magnitude;
}

Decimal to_decimal(Context& c, const Number& number) {
    u64 magnitude;
    if (!integer_magnitude(c, number, c.rounding(), kDecimalLimit, magnitude)) {
        c.raise(exception::kInvalid);
        return kIndefiniteDecimal;
    }
    Decimal result{0, static_cast<u16>(number.sign ? 0x8000 : 0)};
    for (unsigned digit = 0; digit < 18; ++digit, magnitude /= 10) {
        const u64 value = magnitude % 10;
        if (digit < 16)
            result.low |= value << (4 * digit);
        else
            result.high = static_cast<u16>(result.high | (value << (4 * (digit - 16))));
    }
    return result;
}

Extended from_decimal(const Decimal& decimal) {
    // Digits above 9 are undefined; each simply counts as its value, which cannot overflow.
    u64 magnitude = 0;
    for (unsigned digit = 18; digit-- > 0;) {
        const u64 value = digit < 16 ? decimal.low >> (4 * digit)
                                     : static_cast<u64>(decimal.high) >> (4 * (digit - 16));
        magnitude = magnitude * 10 + (value & 15);
    }
    const bool sign = (decimal.high >> 15) != 0;
    if (magnitude == 0)
        return zero(sign);
    Context exact{exception::kAll};
    return pack(exact, sign, 127, magnitude, 64);
}

}  // namespace uchronia::cpu::interp::x87
