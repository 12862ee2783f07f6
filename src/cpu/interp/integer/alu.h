// Additions, subtractions and logic with their flags, as pure functions: result = f(operands,
// flags).
//
// The host's own instruction computes the flags where all vendors agree on them; LAHF and SETO give
// them in the form in which the state keeps them (ArithmeticFlags). AF after logic instructions is
// undefined in the manuals: here it is 0.
//
// Source: APM vol. 3, 3.
#pragma once

#include "cpu/state.h"

namespace uchronia::cpu::interp::integer {

inline constexpr u16 kLogicMask = 0xff00 & ~ArithmeticFlags::kAF;

// SF, ZF and PF of a result; AF, CF and OF are 0.
template <class T>
inline ArithmeticFlags sign_zero_parity(T result) {
    u16 ax;
    asm("test %[r], %[r]\n\tlahf" : "=a"(ax) : [r] "r"(result) : "cc");
    return {static_cast<u16>(ax & kLogicMask)};
}

// Sets or clears flags: those in `mask` become the ones of `bits`.
inline void replace_flags(ArithmeticFlags& flags, u16 mask, u16 bits) {
    flags.bits = static_cast<u16>((flags.bits & ~mask) | (bits & mask));
}

struct Add {
    template <class T>
    static T apply(T a, T b, ArithmeticFlags& flags) {
        u16 ax;
        asm("add %[b], %[a]\n\tlahf\n\tseto %%al" : [a] "+r"(a), "=a"(ax) : [b] "r"(b) : "cc");
        flags.bits = ax;
        return a;
    }
};

struct Subtract {
    template <class T>
    static T apply(T a, T b, ArithmeticFlags& flags) {
        u16 ax;
        asm("sub %[b], %[a]\n\tlahf\n\tseto %%al" : [a] "+r"(a), "=a"(ax) : [b] "r"(b) : "cc");
        flags.bits = ax;
        return a;
    }
};

struct AddWithCarry {
    template <class T>
    static T apply(T a, T b, ArithmeticFlags& flags) {
        u16 ax;
        asm("bt $8, %[in]\n\tadc %[b], %[a]\n\tlahf\n\tseto %%al"
            : [a] "+r"(a), "=a"(ax)
            : [b] "r"(b), [in] "r"(static_cast<u32>(flags.bits))
            : "cc");
        flags.bits = ax;
        return a;
    }
};

struct SubtractWithBorrow {
    template <class T>
    static T apply(T a, T b, ArithmeticFlags& flags) {
        u16 ax;
        asm("bt $8, %[in]\n\tsbb %[b], %[a]\n\tlahf\n\tseto %%al"
            : [a] "+r"(a), "=a"(ax)
            : [b] "r"(b), [in] "r"(static_cast<u32>(flags.bits))
            : "cc");
        flags.bits = ax;
        return a;
    }
};

struct And {
    template <class T>
    static T apply(T a, T b, ArithmeticFlags& flags) {
        u16 ax;
        asm("and %[b], %[a]\n\tlahf" : [a] "+r"(a), "=a"(ax) : [b] "r"(b) : "cc");
        flags.bits = ax & kLogicMask;
        return a;
    }
};

struct Or {
    template <class T>
    static T apply(T a, T b, ArithmeticFlags& flags) {
        u16 ax;
        asm("or %[b], %[a]\n\tlahf" : [a] "+r"(a), "=a"(ax) : [b] "r"(b) : "cc");
        flags.bits = ax & kLogicMask;
        return a;
    }
};

struct Xor {
    template <class T>
    static T apply(T a, T b, ArithmeticFlags& flags) {
        u16 ax;
        asm("xor %[b], %[a]\n\tlahf" : [a] "+r"(a), "=a"(ax) : [b] "r"(b) : "cc");
        flags.bits = ax & kLogicMask;
        return a;
    }
};

struct Increment {
    template <class T>
    static T apply(T a, ArithmeticFlags& flags) {
        u16 ax;
        asm("inc %[a]\n\tlahf\n\tseto %%al" : [a] "+r"(a), "=a"(ax) : : "cc");
        replace_flags(flags, static_cast<u16>(~ArithmeticFlags::kCF), ax);
        return a;
    }
};

struct Decrement {
    template <class T>
    static T apply(T a, ArithmeticFlags& flags) {
        u16 ax;
        asm("dec %[a]\n\tlahf\n\tseto %%al" : [a] "+r"(a), "=a"(ax) : : "cc");
        replace_flags(flags, static_cast<u16>(~ArithmeticFlags::kCF), ax);
        return a;
    }
};

struct Negate {
    template <class T>
    static T apply(T a, ArithmeticFlags& flags) {
        return Subtract::apply(T{0}, a, flags);
    }
};

struct Not {
    template <class T>
    static T apply(T a, ArithmeticFlags&) {
        return static_cast<T>(~a);
    }
};

}  // namespace uchronia::cpu::interp::integer
