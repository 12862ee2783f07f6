// Shifts and rotates with their flags, as pure functions: result = f(value, count, flags).
//
// `count` is the raw count: it is masked here to 5 bits, or 6 for 64-bit operands (APM vol. 3,
// SHL). A masked count of 0 changes nothing. What the manuals leave undefined is the canon of this
// table, which is what AMD processors do:
//
//     SHL SHR SAR  AF = 1
//     SHL          OF = msb(result) ^ CF for every count; CF = 0 for counts above the size
//     SHR SAR      OF = the two top bits of the result differ, for every count;
//                  SHR: CF = 0 for counts above the size, SAR: the sign
//     ROL RCL      OF = msb(result) ^ CF for every count
//     ROR RCR      OF = the two top bits of the result differ, for every count
//     SHLD         AF = 1; CF and OF are those of SHL of the destination
//     SHRD         AF = 1; OF = the two top bits of the result differ; CF = 0 for counts above the
//     size SHLD, SHRD   of 16 bits by more than 16: the bits that come in are the source's twice
#pragma once

#include <bit>
#include <limits>

#include "cpu/interp/integer/alu.h"

namespace uchronia::cpu::interp::integer {

template <class T>
inline constexpr unsigned kBits = std::numeric_limits<T>::digits;

template <class T>
constexpr unsigned masked_count(unsigned count) {
    return count & (sizeof(T) == 8 ? 63u : 31u);
}
template <class T>
constexpr bool top_bit(T value) {
    return (value >> (kBits<T> - 1)) != 0;
}
template <class T>
constexpr bool top_bits_differ(T value) {
    return top_bit(static_cast<T>(value ^ (value << 1)));
}
constexpr u16 carry_overflow(bool carry, bool overflow) {
    return static_cast<u16>((carry ? ArithmeticFlags::kCF : 0) |
                            (overflow ? ArithmeticFlags::kOF : 0));
}

// All flags after a shift.
template <class T>
inline ArithmeticFlags shift_flags(T result, bool carry, bool overflow) {
    return {static_cast<u16>(sign_zero_parity(result).bits | ArithmeticFlags::kAF |
                             carry_overflow(carry, overflow))};
}
// A rotate changes CF and OF only.
inline void set_rotate_flags(ArithmeticFlags& flags, bool carry, bool overflow) {
    replace_flags(flags, ArithmeticFlags::kCF | ArithmeticFlags::kOF,
                  carry_overflow(carry, overflow));
}

// Shifts that stay defined in C++ for counts up to 63 on every size.
template <class T>
constexpr T shifted_left(T value, unsigned count) {
    return static_cast<T>(static_cast<u64>(value) << count);
}
template <class T>
constexpr T shifted_right(T value, unsigned count) {
    return static_cast<T>(static_cast<u64>(value) >> count);
}
// The last bit that SHL pushes out, for 1 <= count.
template <class T>
constexpr bool left_carry(T value, unsigned count) {
    return top_bit(shifted_left(value, count - 1));
}

struct ShiftLeft {
    template <class T>
    static T apply(T value, unsigned raw_count, ArithmeticFlags& flags) {
        const unsigned count = masked_count<T>(raw_count);
        if (count == 0)
            return value;
        const T result = shifted_left(value, count);
        const bool carry = left_carry(value, count);
        flags = shift_flags(result, carry, top_bit(result) != carry);
        return result;
    }
};

struct ShiftRight {
    template <class T>
    static T apply(T value, unsigned raw_count, ArithmeticFlags& flags) {
        const unsigned count = masked_count<T>(raw_count);
        if (count == 0)
            return value;
        const T result = shifted_right(value, count);
        const bool carry = (shifted_right(value, count - 1) & 1) != 0;
        flags = shift_flags(result, carry, top_bits_differ(result));
        return result;
    }
};

struct ShiftRightArithmetic {
    template <class T>
    static T apply(T value, unsigned raw_count, ArithmeticFlags& flags) {
        const unsigned count = masked_count<T>(raw_count);
        if (count == 0)
            return value;
        const i64 wide = static_cast<i64>(static_cast<std::make_signed_t<T>>(value));
        const T result = static_cast<T>(wide >> count);
        const bool carry = ((wide >> (count - 1)) & 1) != 0;
        flags = shift_flags(result, carry, top_bits_differ(result));
        return result;
    }
};

struct RotateLeft {
    template <class T>
    static T apply(T value, unsigned raw_count, ArithmeticFlags& flags) {
        const unsigned count = masked_count<T>(raw_count);
        if (count == 0)
            return value;
        const T result = std::rotl(value, static_cast<int>(count % kBits<T>));
        const bool carry = (result & 1) != 0;
        set_rotate_flags(flags, carry, top_bit(result) != carry);
        return result;
    }
};

struct RotateRight {
    template <class T>
    static T apply(T value, unsigned raw_count, ArithmeticFlags& flags) {
        const unsigned count = masked_count<T>(raw_count);
        if (count == 0)
            return value;
        const T result = std::rotr(value, static_cast<int>(count % kBits<T>));
        set_rotate_flags(flags, top_bit(result), top_bits_differ(result));
        return result;
    }
};

// Rotates through CF: a rotate of size + 1 bits, with CF above the value.
struct RotateLeftCarry {
    template <class T>
    static T apply(T value, unsigned raw_count, ArithmeticFlags& flags) {
        const unsigned masked = masked_count<T>(raw_count);
        if (masked == 0)
            return value;
        const unsigned count = masked % (kBits<T> + 1);
        const u128 wide = static_cast<u128>(value) | (static_cast<u128>(flags.cf()) << kBits<T>);
        const u128 turned = (wide << count) | (wide >> (kBits<T> + 1 - count));
        const T result = static_cast<T>(turned);
        const bool carry = ((turned >> kBits<T>)&1) != 0;
        set_rotate_flags(flags, carry, top_bit(result) != carry);
        return result;
    }
};

struct RotateRightCarry {
    template <class T>
    static T apply(T value, unsigned raw_count, ArithmeticFlags& flags) {
        const unsigned masked = masked_count<T>(raw_count);
        if (masked == 0)
            return value;
        const unsigned count = masked % (kBits<T> + 1);
        const u128 wide = static_cast<u128>(value) | (static_cast<u128>(flags.cf()) << kBits<T>);
        const u128 turned = (wide >> count) | (wide << (kBits<T> + 1 - count));
        const T result = static_cast<T>(turned);
        set_rotate_flags(flags, ((turned >> kBits<T>)&1) != 0, top_bits_differ(result));
        return result;
    }
};

// Double shifts: the bits that come in are those of `source`.
struct ShiftLeftDouble {
    template <class T>
    static T apply(T value, T source, unsigned raw_count, ArithmeticFlags& flags) {
        const unsigned count = masked_count<T>(raw_count);
        if (count == 0)
            return value;
        T result;
        if constexpr (sizeof(T) == 2) {
            const u64 wide =
                (static_cast<u64>(value) << 32) | (static_cast<u64>(source) << 16) | source;
            result = static_cast<T>(wide >> (32 - count));
        } else {
            result = static_cast<T>((value << count) | (source >> (kBits<T> - count)));
        }
        const bool carry = left_carry(value, count);
        flags = shift_flags(result, carry, top_bit(shifted_left(value, count)) != carry);
        return result;
    }
};

struct ShiftRightDouble {
    template <class T>
    static T apply(T value, T source, unsigned raw_count, ArithmeticFlags& flags) {
        const unsigned count = masked_count<T>(raw_count);
        if (count == 0)
            return value;
        T result;
        if constexpr (sizeof(T) == 2) {
            const u64 wide =
                (static_cast<u64>(source) << 32) | (static_cast<u64>(source) << 16) | value;
            result = static_cast<T>(wide >> count);
        } else {
            result = static_cast<T>((value >> count) | (source << (kBits<T> - count)));
        }
        const bool carry = (shifted_right(value, count - 1) & 1) != 0;
        flags = shift_flags(result, carry, top_bits_differ(result));
        return result;
    }
};

}  // namespace uchronia::cpu::interp::integer
