// Conversions out of the register format: to single, double, integer and packed decimal (and from
// the last; the other formats are read by number.h).
//
// Each function reports in the Context. A memory destination is not written if the Context has an
// unmasked exception other than #P.
//
// Source: APM vol. 1, 6.3; vol. 5 (FST, FIST, FISTTP, FBLD, FBSTP).
#pragma once

#include "cpu/interp/x87/number.h"

namespace uchronia::cpu::interp::x87 {

u32 to_single(Context& c, const Number& number);
u64 to_double(Context& c, const Number& number);

// Signed integers of 16, 32 or 64 bits. What does not fit is #I and the most negative integer.
u64 to_integer(Context& c, const Number& number, unsigned bits, Rounding rounding);

// Packed decimal: 18 digits, low first, then a byte with the sign.
struct Decimal {
    u64 low;   // digits 0-15
    u16 high;  // digits 16-17 and the sign byte
};
inline constexpr Decimal kIndefiniteDecimal{0xc000000000000000, 0xffff};
Decimal to_decimal(Context& c, const Number& number);
Extended from_decimal(const Decimal& decimal);

}  // namespace uchronia::cpu::interp::x87
