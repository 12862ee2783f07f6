// Multiplication and division, as pure functions.
//
// MUL and IMUL define CF and OF; the canon of SF, ZF, AF and PF, which are undefined, is that they
// do not change. All flags are undefined after DIV and IDIV; the canon is AF = 1, SF = ZF = PF = 0,
// CF and OF unchanged. Both are what AMD processors do.
//
// Source: APM vol. 3, 3 (DIV, IDIV, IMUL, MUL).
#pragma once

#include <limits>
#include <type_traits>

#include "cpu/interp/integer/alu.h"

namespace uchronia::cpu::interp::integer {

// Twice as wide as T.
template <class T>
using Wide = std::conditional_t<
    sizeof(T) == 1, u16,
    std::conditional_t<sizeof(T) == 2, u32, std::conditional_t<sizeof(T) == 4, u64, u128>>>;
template <class T>
using SignedWide = std::conditional_t<
    sizeof(T) == 1, i16,
    std::conditional_t<sizeof(T) == 2, i32, std::conditional_t<sizeof(T) == 4, i64, i128>>>;

template <class T>
struct Pair {
    T high, low;
};
template <class T>
constexpr Pair<T> split(Wide<T> value) {
    return {static_cast<T>(value >> std::numeric_limits<T>::digits), static_cast<T>(value)};
}

inline void set_multiply_flags(ArithmeticFlags& flags, bool overflow) {
    constexpr u16 kMask = ArithmeticFlags::kCF | ArithmeticFlags::kOF;
    replace_flags(flags, kMask, overflow ? kMask : 0);
}

struct MultiplyUnsigned {
    template <class T>
    static Pair<T> apply(T a, T b, ArithmeticFlags& flags) {
        const Pair<T> product = split<T>(static_cast<Wide<T>>(static_cast<Wide<T>>(a) * b));
        set_multiply_flags(flags, product.high != 0);
        return product;
    }
};

struct MultiplySigned {
    template <class T>
    static Pair<T> apply(T a, T b, ArithmeticFlags& flags) {
        using S = std::make_signed_t<T>;
        const auto wide = static_cast<SignedWide<T>>(static_cast<SignedWide<T>>(static_cast<S>(a)) *
                                                     static_cast<S>(b));
        const Pair<T> product = split<T>(static_cast<Wide<T>>(wide));
        set_multiply_flags(flags, wide != static_cast<S>(product.low));
        return product;
    }
};

template <class T>
struct Division {
    T quotient, remainder;
    bool ok;  // false: #DE
};

inline void set_divide_flags(ArithmeticFlags& flags) {
    replace_flags(flags, static_cast<u16>(~(ArithmeticFlags::kCF | ArithmeticFlags::kOF)),
                  ArithmeticFlags::kFixed | ArithmeticFlags::kAF);
}

struct DivideUnsigned {
    template <class T>
    static Division<T> apply(Pair<T> dividend, T divisor) {
        if (dividend.high >= divisor)  // also a divisor of 0
            return {0, 0, false};
        if constexpr (sizeof(T) == 8) {
            u64 quotient, remainder;
            asm("divq %[d]"
                : "=a"(quotient), "=d"(remainder)
                : [d] "r"(divisor), "a"(dividend.low), "d"(dividend.high)
                : "cc");
            return {quotient, remainder, true};
        } else {
            const u64 value =
                (static_cast<u64>(dividend.high) << std::numeric_limits<T>::digits) | dividend.low;
            return {static_cast<T>(value / divisor), static_cast<T>(value % divisor), true};
        }
    }
};

// By magnitudes, as the quotient truncates towards 0 and the remainder has the dividend's sign.
struct DivideSigned {
    template <class T>
    static Division<T> apply(Pair<T> dividend, T divisor) {
        constexpr T kTop = static_cast<T>(T{1} << (std::numeric_limits<T>::digits - 1));
        const bool minus = (dividend.high & kTop) != 0;
        const bool quotient_minus = minus != ((divisor & kTop) != 0);
        Pair<T> magnitude = dividend;
        if (minus) {
            magnitude.low = negated(dividend.low);
            magnitude.high = static_cast<T>(~dividend.high + (dividend.low == 0 ? 1 : 0));
        }
        Division<T> result =
            DivideUnsigned::apply<T>(magnitude, (divisor & kTop) != 0 ? negated(divisor) : divisor);
        if (result.quotient > kTop || (result.quotient == kTop && !quotient_minus))
            result.ok = false;
        if (quotient_minus)
            result.quotient = negated(result.quotient);
        if (minus)
            result.remainder = negated(result.remainder);
        return result;
    }

  private:
    template <class T>
    static T negated(T value) {
        return static_cast<T>(~value + 1);
    }
};

}  // namespace uchronia::cpu::interp::integer
