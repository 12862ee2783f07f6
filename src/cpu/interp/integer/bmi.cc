// BMI1 and BMI2 (but for TZCNT: bit.cc), and MOVBE.
//
// All of them are #UD on a model without them. Undefined in the manuals, and what is done here (as
// AMD processors do): PF is that of the result; AF is 0, but 1 after BEXTR; the SF of BEXTR is 0.
//
// Source: APM vol. 3, 3 (ANDN to TZCNT, MOVBE).
#include <bit>
#include <type_traits>

#include "cpu/interp/integer/alu.h"
#include "cpu/interp/integer/forms.h"
#include "cpu/interp/integer/multiply_divide.h"
#include "cpu/interp/integer/shift.h"

namespace uchronia::cpu::interp::integer {
namespace {

template <class T>
ArithmeticFlags result_flags(T result, bool carry) {
    return {static_cast<u16>(sign_zero_parity(result).bits | carry_overflow(carry, false))};
}

// The `count` low bits; all of them if it is the size or more.
template <class T>
constexpr T low_bits(unsigned count) {
    return count >= kBits<T> ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << count) - 1);
}

// Operations with flags on E and B: result = f(e, b, flags).
struct AndNot {
    template <class T>
    static T apply(T e, T b, ArithmeticFlags& flags) {
        const T result = e & static_cast<T>(~b);
        flags = result_flags(result, false);
        return result;
    }
};
// b: the first bit in bits 0-7, their number in bits 8-15.
struct ExtractField {
    template <class T>
    static T apply(T e, T b, ArithmeticFlags& flags) {
        const unsigned first = b & 0xff, count = (b >> 8) & 0xff;
        const T shifted = first >= kBits<T> ? T{0} : static_cast<T>(e >> first);
        const T result = shifted & low_bits<T>(count);
        flags = result_flags(result, false);
        replace_flags(flags, ArithmeticFlags::kSF | ArithmeticFlags::kAF, ArithmeticFlags::kAF);
        return result;
    }
};
struct ZeroHighBits {
    template <class T>
    static T apply(T e, T b, ArithmeticFlags& flags) {
        const unsigned first = b & 0xff;
        const T result = e & low_bits<T>(first);
        flags = result_flags(result, first >= kBits<T>);
        return result;
    }
};

// Operations with flags on E alone.
struct ResetLowestBit {
    template <class T>
    static T apply(T e, ArithmeticFlags& flags) {
        const T result = e & static_cast<T>(e - 1);
        flags = result_flags(result, e == 0);
        return result;
    }
};
struct MaskToLowestBit {
    template <class T>
    static T apply(T e, ArithmeticFlags& flags) {
        const T result = e ^ static_cast<T>(e - 1);
        flags = result_flags(result, e == 0);
        return result;
    }
};
struct IsolateLowestBit {
    template <class T>
    static T apply(T e, ArithmeticFlags& flags) {
        const T result = e & static_cast<T>(-e);
        flags = result_flags(result, e != 0);
        return result;
    }
};

// Operations without flags: result = f(e, other).
struct ShiftLeftBy {
    template <class T>
    static T apply(T e, T other) {
        return static_cast<T>(e << (other % kBits<T>));
    }
};
struct ShiftRightBy {
    template <class T>
    static T apply(T e, T other) {
        return static_cast<T>(e >> (other % kBits<T>));
    }
};
struct ShiftRightArithmeticBy {
    template <class T>
    static T apply(T e, T other) {
        return static_cast<T>(static_cast<std::make_signed_t<T>>(e) >> (other % kBits<T>));
    }
};
struct RotateRightBy {
    template <class T>
    static T apply(T e, T other) {
        return std::rotr(e, static_cast<int>(other % kBits<T>));
    }
};
// The low bits of `source` to the places of the mask's bits.
struct DepositBits {
    template <class T>
    static T apply(T mask, T source) {
        T result = 0;
        for (; mask != 0; mask &= static_cast<T>(mask - 1), source >>= 1) {
            if ((source & 1) != 0)
                result |= mask & static_cast<T>(-mask);
        }
        return result;
    }
};
// The bits of `source` at the mask's places to the low bits.
struct ExtractBits {
    template <class T>
    static T apply(T mask, T source) {
        T result = 0;
        for (T bit = 1; mask != 0; mask &= static_cast<T>(mask - 1), bit <<= 1) {
            if ((source & mask & static_cast<T>(-mask)) != 0)
                result |= bit;
        }
        return result;
    }
};

// What instructions do with the value of E (see OnE).

// G := E op B, with flags
template <class Operation>
struct FlaggedEB {
    template <class T>
    static void apply(VCPU& cpu, const Op* op, T value) {
        set_register<T>(
            cpu, op->reg,
            Operation::template apply<T>(value, FromB::get<T>(cpu, op), cpu.state.flags));
    }
};

// B := op E, with flags
template <class Operation>
struct FlaggedE {
    template <class T>
    static void apply(VCPU& cpu, const Op* op, T value) {
        set_register<T>(cpu, vex_vvvv(op), Operation::template apply<T>(value, cpu.state.flags));
    }
};

// G := E op other, without flags
template <class Operation, class Other>
struct Flagless {
    template <class T>
    static void apply(VCPU& cpu, const Op* op, T value) {
        set_register<T>(cpu, op->reg,
                        Operation::template apply<T>(value, Other::template get<T>(cpu, op)));
    }
};

// G:B := rDX * E. If G and B are the same register, it gets the upper half.
struct MultiplyFlagless {
    template <class T>
    static void apply(VCPU& cpu, const Op* op, T value) {
        const T other = register_at<T>(cpu, kOffsetRDX);
        const Pair<T> product = split<T>(static_cast<Wide<T>>(value) * other);
        set_register<T>(cpu, vex_vvvv(op), product.low);
        set_register<T>(cpu, op->reg, product.high);
    }
};

template <class T>
T bytes_reversed(T value) {
    if constexpr (sizeof(T) == 2)
        return __builtin_bswap16(value);
    else if constexpr (sizeof(T) == 4)
        return __builtin_bswap32(value);
    else
        return __builtin_bswap64(value);
}

struct LoadReversed {
    template <class T>
    static void apply(VCPU& cpu, const Op* op, T value) {
        set_register<T>(cpu, op->reg, bytes_reversed(value));
    }
};

// The handler of such a use of E.
template <class Use>
struct OnE {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        if (!has_v3(cpu)) [[unlikely]]
            return cpu.raise(op, Vector::kUD);
        T value;
        if (!load_E<P>(cpu, op, value))
            return miss<OnE, T, P>(cpu, op);
        Use::template apply<T>(cpu, op, value);
        return next(cpu, op);
    }
};

struct StoreReversed {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        if (!has_v3(cpu)) [[unlikely]]
            return cpu.raise(op, Vector::kUD);
        if (!store_E<P>(cpu, op, bytes_reversed(FromG::get<T>(cpu, op))))
            return miss<StoreReversed, T, P>(cpu, op);
        return next(cpu, op);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet ANDN_Gy_By_Ey = y_rows<OnE<FlaggedEB<AndNot>>>();
constexpr HandlerSet BEXTR_Gy_Ey_By = y_rows<OnE<FlaggedEB<ExtractField>>>();
constexpr HandlerSet BZHI_Gy_Ey_By = y_rows<OnE<FlaggedEB<ZeroHighBits>>>();
constexpr HandlerSet BLSR_By_Ey = y_rows<OnE<FlaggedE<ResetLowestBit>>>();
constexpr HandlerSet BLSMSK_By_Ey = y_rows<OnE<FlaggedE<MaskToLowestBit>>>();
constexpr HandlerSet BLSI_By_Ey = y_rows<OnE<FlaggedE<IsolateLowestBit>>>();
constexpr HandlerSet SHLX_Gy_Ey_By = y_rows<OnE<Flagless<ShiftLeftBy, FromB>>>();
constexpr HandlerSet SHRX_Gy_Ey_By = y_rows<OnE<Flagless<ShiftRightBy, FromB>>>();
constexpr HandlerSet SARX_Gy_Ey_By = y_rows<OnE<Flagless<ShiftRightArithmeticBy, FromB>>>();
constexpr HandlerSet RORX_Gy_Ey_Ib = y_rows<OnE<Flagless<RotateRightBy, FromImmediate>>>();
constexpr HandlerSet PDEP_Gy_By_Ey = y_rows<OnE<Flagless<DepositBits, FromB>>>();
constexpr HandlerSet PEXT_Gy_By_Ey = y_rows<OnE<Flagless<ExtractBits, FromB>>>();
constexpr HandlerSet MULX_Gy_By_Ey = y_rows<OnE<MultiplyFlagless>>();
constexpr HandlerSet MOVBE_Gv_Mv = v_rows<OnE<LoadReversed>>();
constexpr HandlerSet MOVBE_Mv_Gv = v_rows<StoreReversed>();

}  // namespace uchronia::cpu::interp::handler
