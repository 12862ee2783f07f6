// x87 numbers in software: unpacking of the memory and register formats, and correct rounding into
// them with the exceptions of the x87.
//
// Not here: the operations (arithmetic.h, remainder.h, transcendental.h) and the register stack
// (unit.h). Nothing here depends on the host's floating point, so results are the same everywhere.
//
// Invariants: the significand of a kFinite Number has bit 63 set; its value is
// significand * 2^(exponent - 63).
//
// Source: APM vol. 1, 6.2-6.3 (formats, rounding) and 6.8 (exceptions).
#pragma once

#include "base/types.h"
#include "cpu/state.h"

namespace uchronia::cpu::interp::x87 {

using Extended = X87State::Extended;

// Exception flags, at their places in the status and control words.
namespace exception {
inline constexpr u16 kInvalid = 1, kDenormal = 2, kZeroDivide = 4, kOverflow = 8, kUnderflow = 16,
                     kPrecision = 32;
inline constexpr u16 kAll = 0x3f;
// Found before the operation: if unmasked, operands and destination stay as they are.
inline constexpr u16 kBeforeOperation = kInvalid | kDenormal | kZeroDivide;
}  // namespace exception

enum class Rounding : u8 { kNearest, kDown, kUp, kZero };  // as encoded in the control word

// One operation: the control word that it runs under, and what it reports.
struct Context {
    u16 control;
    u16 exceptions = 0;
    bool stack_fault = false;
    bool c1 = false;  // rounded away from zero; on a stack fault: overflow

    Rounding rounding() const { return static_cast<Rounding>((control >> 10) & 3); }
    // Bits of significand that precision control asks for. The reserved encoding acts as 64.
    unsigned precision() const;

    void raise(u16 which) { exceptions |= which; }
    bool unmasked(u16 which) const { return (exceptions & which & ~control) != 0; }
    // A result for a register is not stored.
    bool prevented() const { return unmasked(exception::kBeforeOperation); }
};

enum class Kind : u8 { kZero, kFinite, kInfinity, kNaN, kUnsupported };

struct Number {
    Kind kind = Kind::kZero;
    bool sign = false;
    bool denormal = false;  // was denormal (or pseudo-denormal) in its format
    i32 exponent = 0;
    u64 significand = 0;  // of a NaN: with the integer bit, the quiet bit and the payload

    bool signalling() const { return kind == Kind::kNaN && ((significand >> 62) & 1) == 0; }
};

inline constexpr u64 kIntegerBit = u64{1} << 63;
inline constexpr u64 kQuietBit = u64{1} << 62;
inline constexpr i32 kExtendedBias = 16383;
inline constexpr Extended kIndefinite{kIntegerBit | kQuietBit, 0xffff};
inline constexpr Extended kOne{kIntegerBit, kExtendedBias};

Number unpack(const Extended& value);
Number unpack_single(u32 bits);
Number unpack_double(u64 bits);
Number unpack_integer(i64 value);

Extended zero(bool sign);
Extended infinity(bool sign);
Extended quiet(const Number& nan);
// Raises #I and gives the indefinite.
Extended invalid(Context& c);

// A floating-point format to round into.
struct Format {
    unsigned precision;
    i32 minimum_exponent, maximum_exponent;
    // What an unmasked overflow or underflow moves the exponent by.
    i32 bias_adjustment;
};
inline constexpr Format kSingle{24, -126, 127, 192};
inline constexpr Format kDouble{53, -1022, 1023, 1536};
constexpr Format extended_format(unsigned precision) {
    return {precision, -16382, 16383, 24576};
}

// A rounded number: biased exponent (0 for denormals), significand with its integer bit at bit 63.
struct Rounded {
    u32 exponent;
    u64 significand;
};
// Rounds significand * 2^(exponent - 127), whose bit 127 is set, and reports #O, #U, #P and C1.
Rounded round_to(Context& c, const Format& format, bool sign, i32 exponent, u128 significand);

// The same into the register format, with any non-zero significand (it is normalised first).
Extended pack(Context& c, bool sign, i32 exponent, u128 significand, unsigned precision);

// An integer with what rounding to it lost.
struct RoundedInteger {
    u64 magnitude;
    bool inexact, up;
};
// Rounds a finite number with exponent <= 63 (so it fits, but for a carry out at 2^64: the caller
// passes at most 63 bits where that matters).
RoundedInteger round_to_integer(const Number& number, Rounding rounding);

// value >> count, with the bits that fall off kept as a sticky lowest bit.
u128 shift_right_sticky(u128 value, u32 count);
// Leading zeros of a non-zero value.
unsigned leading_zeros(u128 value);

}  // namespace uchronia::cpu::interp::x87
