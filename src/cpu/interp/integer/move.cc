// MOV, MOVZX, MOVSX, MOVSXD, MOVNTI, LEA, XLAT, BSWAP, CBW (CWDE, CDQE), CWD (CDQ, CQO).
#include <type_traits>

#include "cpu/interp/integer/forms.h"

namespace uchronia::cpu::interp::integer {
namespace {

// E := source
template <class Source>
struct MoveToE {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        if (!store_E<P, T>(cpu, op, Source::template get<T>(cpu, op)))
            return miss<MoveToE, T, P>(cpu, op);
        return next(cpu, op);
    }
};

// G := E, where E is of type From (as wide as G: void) and is extended to G
template <class From>
struct MoveToG {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        using S = std::conditional_t<std::is_void_v<From>, std::type_identity<T>,
                                     std::type_identity<From>>::type;
        std::make_unsigned_t<S> value;
        if (!load_E<P>(cpu, op, value))
            return miss<MoveToG, T, P>(cpu, op);
        set_register<T>(cpu, op->reg, static_cast<T>(static_cast<S>(value)));
        return next(cpu, op);
    }
};

// MOVSXD of 16 bits moves 16 bits, of 32 moves 32: it only extends to 64.
struct MoveSignExtendedDoubleword {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        using From = std::conditional_t<sizeof(T) == 2, i16, i32>;
        return MoveToG<From>::template run<T, P>(cpu, op);
    }
};

// The register in the opcode byte := immediate
struct MoveImmediateToZ {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        set_register<T>(cpu, op->reg, FromImmediate::get<T>(cpu, op));
        return next(cpu, op);
    }
};

// rAX := memory at the offset in the instruction
struct MoveOffsetToA {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        const u64 address = operand_address_at<P, T>(cpu, op, op->immediate, Access::kRead);
        if (!load_implicit<P, Vector::kGP>(cpu, op, address, value))
            return miss<MoveOffsetToA, T, P>(cpu, op);
        set_register<T>(cpu, kOffsetRAX, value);
        return next(cpu, op);
    }
};
struct MoveAToOffset {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        const u64 address = operand_address_at<P, T>(cpu, op, op->immediate, Access::kWrite);
        if (!store_implicit<P, Vector::kGP>(cpu, op, address, register_at<T>(cpu, kOffsetRAX)))
            return miss<MoveAToOffset, T, P>(cpu, op);
        return next(cpu, op);
    }
};

// AL := byte at rBX + AL
struct Translate {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        const u64 offset = cpu.state.gpr[kRBX] + register_at<u8>(cpu, kOffsetRAX);
        const u64 address = operand_address_at<P, T>(cpu, op, offset, Access::kRead);
        if (!load_implicit<P, Vector::kGP>(cpu, op, address, value))
            return miss<Translate, T, P>(cpu, op);
        set_register<T>(cpu, kOffsetRAX, value);
        return next(cpu, op);
    }
};

struct LoadEffectiveAddress {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        set_register<T>(cpu, op->reg, static_cast<T>(effective_address(cpu, op)));
        return next(cpu, op);
    }
};

// The result of a 16-bit swap is undefined; the canon is 0, which is what processors give.
struct ByteSwap {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        const T value = FromG::get<T>(cpu, op);
        T result = 0;
        if constexpr (sizeof(T) == 8)
            result = __builtin_bswap64(value);
        else if constexpr (sizeof(T) == 4)
            result = __builtin_bswap32(value);
        set_register<T>(cpu, op->reg, result);
        return next(cpu, op);
    }
};

// rAX := its lower half, sign-extended (CBW, CWDE, CDQE)
struct ExtendA {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        using Half =
            std::conditional_t<sizeof(T) == 2, i8, std::conditional_t<sizeof(T) == 4, i16, i32>>;
        set_register<T>(cpu, kOffsetRAX, static_cast<T>(register_at<Half>(cpu, kOffsetRAX)));
        return next(cpu, op);
    }
};

// rDX := the sign of rAX in every bit (CWD, CDQ, CQO)
struct SignOfA {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        const auto value = register_at<std::make_signed_t<T>>(cpu, kOffsetRAX);
        set_register<T>(cpu, kOffsetRDX, static_cast<T>(value < 0 ? -1 : 0));
        return next(cpu, op);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet MOV_Eb_Gb = b_rows<MoveToE<FromG>>();
constexpr HandlerSet MOV_Ev_Gv = v_rows<MoveToE<FromG>>();
constexpr HandlerSet MOV_Gb_Eb = b_rows<MoveToG<void>>();
constexpr HandlerSet MOV_Gv_Ev = v_rows<MoveToG<void>>();
constexpr HandlerSet MOV_Eb_Ib = b_rows<MoveToE<FromImmediate>>();
constexpr HandlerSet MOV_Ev_Iz = v_rows<MoveToE<FromImmediate>>();
constexpr HandlerSet MOV_Zb_Ib = b_rows_at<MoveImmediateToZ, Place::kRegister>();
constexpr HandlerSet MOV_Zv_Iv = v_rows_at<MoveImmediateToZ, Place::kRegister>();
constexpr HandlerSet MOV_AL_Ob = b_rows_at<MoveOffsetToA, Place::kMemory>();
constexpr HandlerSet MOV_rAX_Ov = v_rows_at<MoveOffsetToA, Place::kMemory>();
constexpr HandlerSet MOV_Ob_AL = b_rows_at<MoveAToOffset, Place::kMemory>();
constexpr HandlerSet MOV_Ov_rAX = v_rows_at<MoveAToOffset, Place::kMemory>();
constexpr HandlerSet MOVZX_Gv_Eb = v_rows<MoveToG<u8>>();
constexpr HandlerSet MOVZX_Gv_Ew = v_rows<MoveToG<u16>>();
constexpr HandlerSet MOVSX_Gv_Eb = v_rows<MoveToG<i8>>();
constexpr HandlerSet MOVSX_Gv_Ew = v_rows<MoveToG<i16>>();
constexpr HandlerSet MOVSXD_Gv_Ed = v_rows<MoveSignExtendedDoubleword>();
constexpr HandlerSet MOVNTI_My_Gy = MOV_Ev_Gv;
constexpr HandlerSet LEA_Gv_M = v_rows_at<LoadEffectiveAddress, Place::kRegister>();
constexpr HandlerSet XLAT = b_rows_at<Translate, Place::kMemory>();
constexpr HandlerSet BSWAP_Zv = v_rows_at<ByteSwap, Place::kRegister>();
constexpr HandlerSet CBW = v_rows_at<ExtendA, Place::kRegister>();
constexpr HandlerSet CWD = v_rows_at<SignOfA, Place::kRegister>();

}  // namespace uchronia::cpu::interp::handler
