// FPREM, FPREM1, FSCALE, FXTRACT and FRNDINT in software (APM vol. 5).
#pragma once

#include "cpu/interp/x87/number.h"

namespace uchronia::cpu::interp::x87 {

struct Remainder {
    Extended value;
    u64 quotient;       // its three lowest bits become C0, C3, C1
    bool has_quotient;  // false for NaN and invalid operands: the conditions stay as they are
    bool incomplete;    // C2: the exponents differ by 64 or more, and this was one step
};
enum class Quotient : u8 { kTruncated, kNearest };  // FPREM and FPREM1
Remainder remainder(Context& c, const Number& dividend, const Number& divisor, Quotient quotient);

// number * 2^trunc(scale)
Extended scale(Context& c, const Number& number, const Number& scale);

struct Extracted {
    Extended exponent, significand;
};
Extracted extract(Context& c, const Number& number);

Extended round_to_integral(Context& c, const Number& number);

}  // namespace uchronia::cpu::interp::x87
