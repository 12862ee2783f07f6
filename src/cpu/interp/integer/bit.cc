// BT, BTS, BTR, BTC, BSF, BSR, TZCNT, LZCNT, POPCNT, CRC32.
//
// Undefined in the manuals, and what is done here (as AMD processors do): BT and its like change CF
// only; BSF and BSR change ZF only, and leave the whole destination alone if the source is 0; TZCNT
// and LZCNT clear SF, AF and PF and leave OF alone.
#include <nmmintrin.h>

#include <bit>
#include <type_traits>

#include "cpu/interp/integer/alu.h"
#include "cpu/interp/integer/forms.h"
#include "cpu/interp/integer/shift.h"

namespace uchronia::cpu::interp::integer {
namespace {

struct TestBit {
    template <class T>
    static T apply(T value, T) {
        return value;
    }
};
struct SetBit {
    template <class T>
    static T apply(T value, T bit) {
        return value | bit;
    }
};
struct ResetBit {
    template <class T>
    static T apply(T value, T bit) {
        return static_cast<T>(value & ~bit);
    }
};
struct ComplementBit {
    template <class T>
    static T apply(T value, T bit) {
        return value ^ bit;
    }
};

// A bit number within an operand, as a mask.
template <class T>
T bit_mask(u64 number) {
    return static_cast<T>(T{1} << (number % kBits<T>));
}
template <class T>
void set_carry(ArithmeticFlags& flags, T value, T bit) {
    replace_flags(flags, ArithmeticFlags::kCF, (value & bit) != 0 ? ArithmeticFlags::kCF : 0);
}

// Where the operand with bit number G lies, before it is cut to the address size: memory is a bit
// string, and the number is signed (APM vol. 3, BT).
template <class T>
u64 bit_string_sum(const VCPU& cpu, const Op* op, T number) {
    const i64 signed_number = static_cast<std::make_signed_t<T>>(number);
    const i64 index = signed_number >> std::countr_zero(kBits<T>);
    return address_sum(cpu, op) + static_cast<u64>(index) * sizeof(T);
}

// Where the operand of the bit number is.
template <Place P, class Number, class T>
u64 bit_operand_address(const VCPU& cpu, const Op* op, T number, Access access) {
    if constexpr (std::is_same_v<Number, FromG>)
        return operand_address_at<P, T>(cpu, op, bit_string_sum<T>(cpu, op, number), access);
    else
        return operand_address<P, T>(cpu, op, access);
}

// CF := the bit of E; E := operation of E and the bit
template <class Operation, class Number>
struct BitE {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        const T number = Number::template get<T>(cpu, op);
        const T bit = bit_mask<T>(number);
        const auto operation = [bit](T value, ArithmeticFlags& flags) {
            set_carry(flags, value, bit);
            return Operation::template apply<T>(value, bit);
        };
        bool ok;
        if constexpr (P == Place::kRegister)
            ok = modify_E<T, P>(cpu, op, operation);
        else
            ok = modify_at<T, P>(cpu, op,
                                 bit_operand_address<P, Number, T>(cpu, op, number, Access::kWrite),
                                 operation);
        if (!ok)
            return miss<BitE, T, P>(cpu, op);
        return next(cpu, op);
    }
};

// BT only reads.
template <class Number>
struct BitE<TestBit, Number> {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        const T number = Number::template get<T>(cpu, op);
        T value;
        bool ok;
        if constexpr (P == Place::kRegister)
            ok = load_E<P>(cpu, op, value);
        else
            ok = load_at<P>(
                cpu, op, bit_operand_address<P, Number, T>(cpu, op, number, Access::kRead), value);
        if (!ok)
            return miss<BitE, T, P>(cpu, op);
        set_carry(cpu.state.flags, value, bit_mask<T>(number));
        return next(cpu, op);
    }
};

struct Forward {
    template <class T>
    static T index(T value) {
        return static_cast<T>(std::countr_zero(value));
    }
};
struct Reverse {
    template <class T>
    static T index(T value) {
        return static_cast<T>(std::bit_width(value) - 1);
    }
};

// G := the index of the first bit set in E
template <class Direction>
struct BitScan {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_E<P>(cpu, op, value))
            return miss<BitScan, T, P>(cpu, op);
        if (value != 0)
            set_register<T>(cpu, op->reg, Direction::template index<T>(value));
        replace_flags(cpu.state.flags, ArithmeticFlags::kZF, value == 0 ? ArithmeticFlags::kZF : 0);
        return next(cpu, op);
    }
};

// G := the number of zeros before the first bit set in E; all of them if there is none. On a model
// without TZCNT and LZCNT, the prefix that tells them from BSF and BSR is ignored.
template <class Direction>
struct CountZeros {
    template <class T>
    static unsigned count(T value) {
        if constexpr (std::is_same_v<Direction, Forward>)
            return static_cast<unsigned>(std::countr_zero(value));
        else
            return static_cast<unsigned>(std::countl_zero(value));
    }

    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        if (!has_v3(cpu)) [[unlikely]]
            return BitScan<Direction>::template run<T, P>(cpu, op);
        T value;
        if (!load_E<P>(cpu, op, value))
            return miss<CountZeros, T, P>(cpu, op);
        const unsigned zeros = count<T>(value);
        set_register<T>(cpu, op->reg, static_cast<T>(zeros));
        constexpr u16 kChanged = static_cast<u16>(~ArithmeticFlags::kOF);
        replace_flags(
            cpu.state.flags, kChanged,
            static_cast<u16>(ArithmeticFlags::kFixed | (zeros == 0 ? ArithmeticFlags::kZF : 0) |
                             (value == 0 ? ArithmeticFlags::kCF : 0)));
        return next(cpu, op);
    }
};

// ZF tells whether the source is 0; the other flags are 0.
struct PopulationCount {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_E<P>(cpu, op, value))
            return miss<PopulationCount, T, P>(cpu, op);
        set_register<T>(cpu, op->reg, static_cast<T>(std::popcount(value)));
        cpu.state.flags = {};
        replace_flags(cpu.state.flags, ArithmeticFlags::kZF, value == 0 ? ArithmeticFlags::kZF : 0);
        return next(cpu, op);
    }
};

// G := CRC-32C of G and E. G is 32 bits wide; with REX.W the upper half becomes 0, as it does
// anyway.
struct AccumulateCRC {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_E<P>(cpu, op, value))
            return miss<AccumulateCRC, T, P>(cpu, op);
        const u32 sum = register_at<u32>(cpu, op->reg);
        u64 result;
        if constexpr (sizeof(T) == 1)
            result = _mm_crc32_u8(sum, value);
        else if constexpr (sizeof(T) == 2)
            result = _mm_crc32_u16(sum, value);
        else if constexpr (sizeof(T) == 4)
            result = _mm_crc32_u32(sum, value);
        else
            result = _mm_crc32_u64(sum, value);
        set_register<u64>(cpu, op->reg, result);
        return next(cpu, op);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet BT_Ev_Gv = v_rows<BitE<TestBit, FromG>>();
constexpr HandlerSet BT_Ev_Ib = v_rows<BitE<TestBit, FromImmediate>>();
constexpr HandlerSet BTS_Ev_Gv = v_rows<BitE<SetBit, FromG>>();
constexpr HandlerSet BTS_Ev_Ib = v_rows<BitE<SetBit, FromImmediate>>();
constexpr HandlerSet BTR_Ev_Gv = v_rows<BitE<ResetBit, FromG>>();
constexpr HandlerSet BTR_Ev_Ib = v_rows<BitE<ResetBit, FromImmediate>>();
constexpr HandlerSet BTC_Ev_Gv = v_rows<BitE<ComplementBit, FromG>>();
constexpr HandlerSet BTC_Ev_Ib = v_rows<BitE<ComplementBit, FromImmediate>>();
constexpr HandlerSet BSF_Gv_Ev = v_rows<BitScan<Forward>>();
constexpr HandlerSet BSR_Gv_Ev = v_rows<BitScan<Reverse>>();
constexpr HandlerSet TZCNT_Gv_Ev = v_rows<CountZeros<Forward>>();
constexpr HandlerSet LZCNT_Gv_Ev = v_rows<CountZeros<Reverse>>();
constexpr HandlerSet POPCNT_Gv_Ev = v_rows<PopulationCount>();
constexpr HandlerSet CRC32_Gy_Eb = b_rows<AccumulateCRC>();
constexpr HandlerSet CRC32_Gy_Ev = v_rows<AccumulateCRC>();

}  // namespace uchronia::cpu::interp::handler
