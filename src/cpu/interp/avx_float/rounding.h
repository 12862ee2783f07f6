// Exact real numbers, and their rounding to a floating-point format as SSE does it: the result that
// is delivered, and the exceptions that are signalled. For what the host may not have (FMA, F16C).
//
// Invariant: a number is nonzero; its fraction has bit 126 as its highest one, and bit 0 also says
// that something nonzero was cut off below.
//
// Source: APM vol. 1, 4.8 (rounding) and 4.10 (SIMD floating-point exceptions).
#pragma once

#include "base/types.h"
#include "cpu/interp/sse/float_unit.h"

namespace uchronia::cpu::interp::avx_float {

// A binary floating-point format.
template <class T, int fraction_bits, int exponent_bits>
struct Format {
    using Bits = T;
    static constexpr int kFractionBits = fraction_bits;
    static constexpr int kBias = (1 << (exponent_bits - 1)) - 1;
    static constexpr T kHiddenBit = T(T{1} << fraction_bits);
    static constexpr T kFraction = T(kHiddenBit - 1);
    static constexpr T kSign = T(T{1} << (8 * sizeof(T) - 1));
    static constexpr T kInfinity = T(kSign - kHiddenBit);
    static constexpr T kQuiet = T(kHiddenBit >> 1);
    static constexpr T kDefaultNaN = T(kSign | kInfinity | kQuiet);

    static constexpr T magnitude(T bits) { return T(bits & ~kSign); }
    static constexpr bool is_negative(T bits) { return (bits & kSign) != 0; }
    static constexpr bool is_nan(T bits) { return magnitude(bits) > kInfinity; }
    static constexpr bool is_signalling(T bits) { return is_nan(bits) && (bits & kQuiet) == 0; }
    static constexpr bool is_infinity(T bits) { return magnitude(bits) == kInfinity; }
    static constexpr bool is_zero(T bits) { return magnitude(bits) == 0; }
    static constexpr bool is_denormal(T bits) {
        return !is_zero(bits) && magnitude(bits) < kHiddenBit;
    }
};
using HalfFormat = Format<u16, 10, 5>;
using SingleFormat = Format<u32, 23, 8>;
using DoubleFormat = Format<u64, 52, 11>;

// fraction / 2^126 * 2^exponent.
struct ExactNumber {
    bool negative;
    int exponent;
    u128 fraction;
};
inline constexpr int kExactBits = 126;

// Moves the highest one to bit 126. `fraction` is not 0 and below 2^127.
inline ExactNumber normalised(bool negative, int exponent, u128 fraction) {
    const u64 high = static_cast<u64>(fraction >> 64), low = static_cast<u64>(fraction);
    const int zeros = high != 0 ? __builtin_clzll(high) : 64 + __builtin_clzll(low);
    return {negative, exponent - (zeros - 1), fraction << (zeros - 1)};
}

// Of a finite, nonzero number.
template <class F>
ExactNumber exact(typename F::Bits bits) {
    const auto magnitude = F::magnitude(bits);
    int exponent = static_cast<int>(magnitude >> F::kFractionBits);
    u128 fraction = magnitude & F::kFraction;
    if (exponent == 0)
        exponent = 1;
    else
        fraction |= F::kHiddenBit;
    return normalised(F::is_negative(bits), exponent - F::kBias,
                      fraction << (kExactBits - F::kFractionBits));
}

template <class F>
struct Rounded {
    typename F::Bits bits;
    u32 flags;  // of MXCSR
};

enum class RoundingMode : u8 { kNearest, kDown, kUp, kZero };
inline RoundingMode rounding_of(u32 control) {
    return RoundingMode((control & sse::mxcsr::kRounding) >> sse::mxcsr::kRoundingShift);
}

// `value` without its `count` low bits, rounded.
struct Cut {
    u128 value;
    bool inexact;
};
inline Cut cut_off(u128 value, int count, bool negative, RoundingMode mode) {
    if (count > kExactBits + 1) {  // less than half a unit
        value = 1;
        count = 2;
    }
    const u128 rest = value & ((u128{1} << count) - 1), half = u128{1} << (count - 1);
    const u128 kept = value >> count;
    bool up = false;
    switch (mode) {
        case RoundingMode::kNearest:
            up = rest > half || (rest == half && (kept & 1) != 0);
            break;
        case RoundingMode::kDown:
            up = negative && rest != 0;
            break;
        case RoundingMode::kUp:
            up = !negative && rest != 0;
            break;
        case RoundingMode::kZero:
            break;
    }
    return {kept + (up ? 1 : 0), rest != 0};
}

template <class F>
typename F::Bits overflowed(bool negative, RoundingMode mode) {
    const bool to_infinity = mode == RoundingMode::kNearest ||
                             mode == (negative ? RoundingMode::kDown : RoundingMode::kUp);
    return static_cast<typename F::Bits>(to_infinity ? F::kInfinity : F::kInfinity - 1);
}

// Rounds under the MXCSR bits of `control`. Where an exception is unmasked, the flags are those to
// be signalled with it, and the result is without meaning.
template <class F>
Rounded<F> round_to(const ExactNumber& number, u32 control) {
    using namespace sse;
    using Bits = typename F::Bits;
    constexpr int kCut = kExactBits - F::kFractionBits, kLeast = 1 - F::kBias;
    const auto is_masked = [&](u32 flag) { return (control & (flag << mxcsr::kMaskShift)) != 0; };
    const RoundingMode mode = rounding_of(control);
    const Bits sign = number.negative ? F::kSign : 0;

    // As if any exponent were allowed: this decides what is too great and what is tiny.
    const Cut unbounded = cut_off(number.fraction, kCut, number.negative, mode);
    const bool carried = unbounded.value > F::kHiddenBit + u128{F::kFraction};
    const int exponent = number.exponent + (carried ? 1 : 0);
    u32 flags = unbounded.inexact ? mxcsr::kPE : 0;
    if (exponent > F::kBias) {
        flags |= mxcsr::kOE | (is_masked(mxcsr::kOE) ? mxcsr::kPE : 0);
        return {static_cast<Bits>(sign | overflowed<F>(number.negative, mode)), flags};
    }
    if (exponent >= kLeast) {
        const auto biased = static_cast<Bits>(exponent - kLeast);
        const auto fraction = static_cast<Bits>(carried ? F::kHiddenBit : unbounded.value);
        return {static_cast<Bits>(sign | ((biased << F::kFractionBits) + fraction)), flags};
    }
    if (!is_masked(mxcsr::kUE))
        return {sign, flags | mxcsr::kUE};
    if ((control & mxcsr::kFTZ) != 0)
        return {sign, mxcsr::kUE | mxcsr::kPE};
    const Cut denormal =
        cut_off(number.fraction, kCut + kLeast - number.exponent, number.negative, mode);
    return {static_cast<Bits>(sign | static_cast<Bits>(denormal.value)),
            denormal.inexact ? mxcsr::kUE | mxcsr::kPE : 0};
}

}  // namespace uchronia::cpu::interp::avx_float
