#include "cpu/interp/x87/arithmetic.h"

namespace uchronia::cpu::interp::x87 {

std::optional<Extended> nan_result(Context& c, const Number& operand) {
    if (operand.kind == Kind::kUnsupported)
        return invalid(c);
    if (operand.kind != Kind::kNaN)
        return std::nullopt;
    if (operand.signalling())
        c.raise(exception::kInvalid);
    return quiet(operand);
}

std::optional<Extended> nan_result(Context& c, const Number& a, const Number& b) {
    if (a.kind == Kind::kUnsupported || b.kind == Kind::kUnsupported)
        return invalid(c);
    const bool a_nan = a.kind == Kind::kNaN, b_nan = b.kind == Kind::kNaN;
    if (!a_nan && !b_nan)
        return std::nullopt;
    if (a.signalling() || b.signalling())
        c.raise(exception::kInvalid);
    if (!b_nan)
        return quiet(a);
    if (!a_nan)
        return quiet(b);
    // A quiet one wins over a signalling one, then the larger significand, then the positive one.
    if (a.signalling() != b.signalling())
        return quiet(a.signalling() ? b : a);
    if (a.significand != b.significand)
        return quiet(a.significand > b.significand ? a : b);
    return quiet(a.sign ? b : a);
}

std::optional<Extended> special_value(Context& c, const Number& operand) {
    if (operand.kind == Kind::kInfinity)
        return infinity(operand.sign);
    if (operand.kind == Kind::kZero)
        return zero(operand.sign);
    return nan_result(c, operand);
}

void note_denormals(Context& c, const Number& operand) {
    if (operand.denormal)
        c.raise(exception::kDenormal);
}

void note_denormals(Context& c, const Number& a, const Number& b) {
    if (a.denormal || b.denormal)
        c.raise(exception::kDenormal);
}

namespace {

// The exact value of a finite number, rounded to the precision control.
Extended rounded(Context& c, const Number& n) {
    return pack(c, n.sign, n.exponent, static_cast<u128>(n.significand) << 64, c.precision());
}

bool larger_magnitude(const Number& a, const Number& b) {
    return a.exponent != b.exponent ? a.exponent > b.exponent : a.significand > b.significand;
}

Extended add_finite(Context& c, const Number& a, const Number& b) {
    const Number& large = larger_magnitude(b, a) ? b : a;
    const Number& small = larger_magnitude(b, a) ? a : b;
    // One bit of headroom, 63 bits below: a sticky bit there never cancels.
    const u128 x = static_cast<u128>(large.significand) << 63;
    const u128 y = shift_right_sticky(static_cast<u128>(small.significand) << 63,
                                      static_cast<u32>(large.exponent - small.exponent));
    const u128 sum = large.sign == small.sign ? x + y : x - y;
    if (sum == 0)
        return zero(c.rounding() == Rounding::kDown);
    return pack(c, large.sign, large.exponent + 1, sum, c.precision());
}

Extended add(Context& c, const Number& a, const Number& b) {
    const bool a_infinite = a.kind == Kind::kInfinity, b_infinite = b.kind == Kind::kInfinity;
    if (a_infinite && b_infinite && a.sign != b.sign)
        return invalid(c);
    note_denormals(c, a, b);
    if (a_infinite)
        return infinity(a.sign);
    if (b_infinite)
        return infinity(b.sign);
    if (a.kind == Kind::kZero && b.kind == Kind::kZero)
        return zero(a.sign == b.sign ? a.sign : c.rounding() == Rounding::kDown);
    if (b.kind == Kind::kZero)
        return rounded(c, a);
    if (a.kind == Kind::kZero)
        return rounded(c, b);
    return add_finite(c, a, b);
}

Extended subtract(Context& c, const Number& a, const Number& b) {
    Number negated = b;
    negated.sign = !b.sign;
    return add(c, a, negated);
}

Extended multiply(Context& c, const Number& a, const Number& b) {
    const bool sign = a.sign != b.sign;
    const bool infinite = a.kind == Kind::kInfinity || b.kind == Kind::kInfinity;
    const bool has_zero = a.kind == Kind::kZero || b.kind == Kind::kZero;
    if (infinite && has_zero)
        return invalid(c);
    note_denormals(c, a, b);
    if (infinite)
        return infinity(sign);
    if (has_zero)
        return zero(sign);
    return pack(c, sign, a.exponent + b.exponent + 1,
                static_cast<u128>(a.significand) * b.significand, c.precision());
}

Extended divide(Context& c, const Number& a, const Number& b) {
    const bool sign = a.sign != b.sign;
    if (a.kind == b.kind && (a.kind == Kind::kInfinity || a.kind == Kind::kZero))
        return invalid(c);
    if (b.kind == Kind::kZero && a.kind == Kind::kFinite) {
        c.raise(exception::kZeroDivide);  // comes before #D
        return infinity(sign);
    }
    note_denormals(c, a, b);
    if (a.kind == Kind::kInfinity)
        return infinity(sign);
    if (b.kind == Kind::kInfinity || a.kind == Kind::kZero)
        return zero(sign);
    if (b.kind == Kind::kZero)  // infinity / 0 was answered above
        return infinity(sign);
    const u128 first = static_cast<u128>(a.significand) << 63;
    const u64 high = static_cast<u64>(first / b.significand);
    const u128 second = (first % b.significand) << 64;
    const u128 low = second / b.significand;
    const bool sticky = second % b.significand != 0;
    return pack(c, sign, a.exponent - b.exponent,
                (static_cast<u128>(high) << 64) | low | (sticky ? 1 : 0), c.precision());
}

// Floor of the square root of a value with bit 126 or 127 set.
u64 integer_square_root(u128 value) {
    u128 rest = value, root = 0;
    for (u128 bit = u128{1} << 126; bit != 0; bit >>= 2) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return static_cast<u64>(root);
}

}  // namespace

Extended calculate(Operation operation, Context& c, const Number& destination,
                   const Number& source) {
    if (const auto nan = nan_result(c, destination, source))
        return *nan;
    switch (operation) {
        case Operation::kAdd:
            return add(c, destination, source);
        case Operation::kMultiply:
            return multiply(c, destination, source);
        case Operation::kSubtract:
            return subtract(c, destination, source);
        case Operation::kSubtractReversed:
            return subtract(c, source, destination);
        case Operation::kDivide:
            return divide(c, destination, source);
        case Operation::kDivideReversed:
            return divide(c, source, destination);
    }
    return kIndefinite;
}

Extended square_root(Context& c, const Number& operand) {
    if (const auto nan = nan_result(c, operand))
        return *nan;
    if (operand.kind == Kind::kZero)
        return zero(operand.sign);
    if (operand.sign)
        return invalid(c);
    if (operand.kind == Kind::kInfinity)
        return infinity(false);
    note_denormals(c, operand);
    const bool odd = (operand.exponent & 1) != 0;
    const u128 value = static_cast<u128>(operand.significand) << (odd ? 64 : 63);
    const u64 root = integer_square_root(value);
    const u128 rest = value - static_cast<u128>(root) * root;
    // The next bit is set if value > (root + 1/2)^2; what follows is never exactly representable.
    const u64 below = rest == 0 ? 0 : rest > root ? kIntegerBit | 1 : 1;
    return pack(c, false, (operand.exponent - (odd ? 1 : 0)) / 2,
                (static_cast<u128>(root) << 64) | below, c.precision());
}

Ordering compare(Context& c, const Number& a, const Number& b, QuietNaN quiet_nan) {
    const bool unsupported = a.kind == Kind::kUnsupported || b.kind == Kind::kUnsupported;
    if (unsupported || a.kind == Kind::kNaN || b.kind == Kind::kNaN) {
        if (unsupported || quiet_nan == QuietNaN::kInvalid || a.signalling() || b.signalling())
            c.raise(exception::kInvalid);
        return Ordering::kUnordered;
    }
    note_denormals(c, a, b);
    const bool a_zero = a.kind == Kind::kZero, b_zero = b.kind == Kind::kZero;
    if (a_zero && b_zero)
        return Ordering::kEqual;
    const bool a_negative = a.sign && !a_zero, b_negative = b.sign && !b_zero;
    if (a_zero)
        return b_negative ? Ordering::kGreater : Ordering::kLess;
    if (a_negative != b_negative || b_zero)
        return a_negative ? Ordering::kLess : Ordering::kGreater;
    if (a.kind == Kind::kInfinity || b.kind == Kind::kInfinity) {
        if (a.kind == b.kind)
            return Ordering::kEqual;
        return (a.kind == Kind::kInfinity) != a_negative ? Ordering::kGreater : Ordering::kLess;
    }
    if (a.exponent == b.exponent && a.significand == b.significand)
        return Ordering::kEqual;
    return larger_magnitude(a, b) != a_negative ? Ordering::kGreater : Ordering::kLess;
}

}  // namespace uchronia::cpu::interp::x87
