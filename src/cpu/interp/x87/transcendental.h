// The transcendental functions of the x87, by algorithms of our own: the same on every host.
//
// The kernels are power series in 126-bit fixed point after exact argument reduction; the error is
// below 2^-100 before the one rounding to 64 bits, so results are correctly rounded but for the
// rarest ties. Trigonometric arguments are reduced by the 66-bit value of pi that the hardware of
// both vendors uses, not by pi itself. Results are rounded to 64 bits whatever precision control
// says. Where the manuals leave a result undefined, the comment at the function says ours.
//
// Source: APM vol. 5, the tables of each instruction.
#pragma once

#include "cpu/interp/x87/number.h"

namespace uchronia::cpu::interp::x87 {

struct SineCosine {
    Extended sine, cosine;
    bool out_of_range;  // C2: |operand| >= 2^63, nothing computed
};
enum class Wanted : u8 { kSine, kCosine, kBoth };
SineCosine sine_cosine(Context& c, const Number& operand, Wanted wanted);

struct Tangent {
    Extended tangent, one;  // `one` is what FPTAN pushes: 1, or the NaN
    bool out_of_range;
};
Tangent partial_tangent(Context& c, const Number& operand);

Extended partial_arctangent(Context& c, const Number& y, const Number& x);  // atan2(y, x)
Extended two_to_x_minus_1(Context& c, const Number& x);
Extended y_log2_x(Context& c, const Number& y, const Number& x);
Extended y_log2_x_plus_1(Context& c, const Number& y, const Number& x);

}  // namespace uchronia::cpu::interp::x87
