// The basic operations of the x87 in software: add, subtract, multiply, divide, square root,
// compare; and the rules for NaN operands that all operations share.
//
// Each function returns the masked response and reports in the Context; the caller decides by
// Context::prevented() whether the result is stored.
//
// Source: APM vol. 1, 6.3.4 (NaNs), 6.8 (exceptions); vol. 5 (tables of each instruction).
#pragma once

#include <optional>

#include "cpu/interp/x87/number.h"

namespace uchronia::cpu::interp::x87 {

enum class Operation : u8 {
    kAdd,
    kMultiply,
    kSubtract,
    kSubtractReversed,
    kDivide,
    kDivideReversed,
};

// destination OP source (reversed: source OP destination), rounded to the precision control.
Extended calculate(Operation operation, Context& c, const Number& destination,
                   const Number& source);
Extended square_root(Context& c, const Number& operand);

enum class Ordering : u8 { kGreater, kLess, kEqual, kUnordered };
enum class QuietNaN : u8 { kInvalid, kAllowed };  // COM and UCOM
Ordering compare(Context& c, const Number& a, const Number& b, QuietNaN quiet_nan);

// The result of an operation whose operands include NaNs or unsupported encodings; nothing if they
// do not.
std::optional<Extended> nan_result(Context& c, const Number& operand);
std::optional<Extended> nan_result(Context& c, const Number& a, const Number& b);

// As above, and infinities and zeros as they are.
std::optional<Extended> special_value(Context& c, const Number& operand);

// Raises #D if one of the operands is denormal.
void note_denormals(Context& c, const Number& operand);
void note_denormals(Context& c, const Number& a, const Number& b);

}  // namespace uchronia::cpu::interp::x87
