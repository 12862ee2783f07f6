// XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B. LOCK needs nothing: one host thread runs a machine,
// and an instruction is never interrupted.
#include "cpu/interp/integer/alu.h"
#include "cpu/interp/integer/forms.h"

namespace uchronia::cpu::interp::integer {
namespace {

// E and G change places
struct Exchange {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        const T source = FromG::get<T>(cpu, op);
        T old = 0;
        if (!modify_E<T, P>(cpu, op, [source, &old](T value, ArithmeticFlags&) {
                old = value;
                return source;
            }))
            return miss<Exchange, T, P>(cpu, op);
        set_register<T>(cpu, op->reg, old);
        return next(cpu, op);
    }
};

// The register in the opcode byte and rAX change places. With rAX itself this is NOP: the upper
// half of RAX stays even with 32-bit operands.
struct ExchangeWithA {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        if (op->reg != kOffsetRAX) {
            const T value = FromG::get<T>(cpu, op);
            set_register<T>(cpu, op->reg, register_at<T>(cpu, kOffsetRAX));
            set_register<T>(cpu, kOffsetRAX, value);
        }
        return next(cpu, op);
    }
};

// G, E := E, E + G; where both are one register, the sum stays
struct ExchangeAdd {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        const T source = FromG::get<T>(cpu, op);
        T old = 0;
        if constexpr (P == Place::kRegister) {
            old = register_at<T>(cpu, op->rm);
            set_register<T>(cpu, op->reg, old);
            set_register<T>(cpu, op->rm, Add::apply<T>(old, source, cpu.state.flags));
        } else {
            if (!modify_E<T, P>(cpu, op, [source, &old](T value, ArithmeticFlags& flags) {
                    old = value;
                    return Add::apply<T>(value, source, flags);
                }))
                return miss<ExchangeAdd, T, P>(cpu, op);
            set_register<T>(cpu, op->reg, old);
        }
        return next(cpu, op);
    }
};

// If rAX = E then E := G, else rAX := E, with the flags of CMP rAX, E. Memory is written in both
// cases (its faults are those of a write); a register only if it was equal, so that a 32-bit
// comparison that fails leaves its upper half, and one that succeeds leaves that of RAX.
struct CompareExchange {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        const T source = FromG::get<T>(cpu, op);
        const T expected = register_at<T>(cpu, kOffsetRAX);
        T old = 0;
        if constexpr (P == Place::kRegister) {
            old = register_at<T>(cpu, op->rm);
            Subtract::apply<T>(expected, old, cpu.state.flags);
            if (old == expected)
                set_register<T>(cpu, op->rm, source);
        } else {
            if (!modify_E<T, P>(cpu, op, [=, &old](T value, ArithmeticFlags& flags) {
                    old = value;
                    Subtract::apply<T>(expected, value, flags);
                    return value == expected ? source : value;
                }))
                return miss<CompareExchange, T, P>(cpu, op);
        }
        if (old != expected)
            set_register<T>(cpu, kOffsetRAX, old);
        return next(cpu, op);
    }
};

void set_zero_flag(ArithmeticFlags& flags, bool zero) {
    replace_flags(flags, ArithmeticFlags::kZF, zero ? ArithmeticFlags::kZF : 0);
}

// If EDX:EAX = E then E := ECX:EBX, else EDX:EAX := E; only ZF changes. T is the width of E.
struct CompareExchange8B {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        auto& gpr = cpu.state.gpr;
        const T expected = (gpr[kRDX] << 32) | static_cast<u32>(gpr[kRAX]);
        const T source = (gpr[kRCX] << 32) | static_cast<u32>(gpr[kRBX]);
        T old = 0;
        if (!modify_E<T, P>(cpu, op, [=, &old](T value, ArithmeticFlags& flags) {
                old = value;
                set_zero_flag(flags, value == expected);
                return value == expected ? source : value;
            }))
            return miss<CompareExchange8B, T, P>(cpu, op);
        if (old != expected) {
            gpr[kRAX] = static_cast<u32>(old);
            gpr[kRDX] = old >> 32;
        }
        return next(cpu, op);
    }
};

// The same for RDX:RAX and RCX:RBX, as two halves: the operand must be aligned, so it lies in one
// page, and when it is writable both halves are.
struct CompareExchange16B {
    template <class, Place>
    static void run(VCPU& cpu, const Op* op) {
        const u64 address = linear_address(cpu, op);
        u64 low, high;
        if ((address & 15) != 0)
            return cpu.raise(op, Vector::kGP);
        if (!check_writable(cpu, op, address, 16) || !read_memory(cpu, op, address, low) ||
            !read_memory(cpu, op, address + 8, high))
            return;
        auto& gpr = cpu.state.gpr;
        const bool equal = low == gpr[kRAX] && high == gpr[kRDX];
        if (!write_memory(cpu, op, address, equal ? gpr[kRBX] : low) ||
            !write_memory(cpu, op, address + 8, equal ? gpr[kRCX] : high))
            return;
        if (!equal) {
            gpr[kRAX] = low;
            gpr[kRDX] = high;
        }
        set_zero_flag(cpu.state.flags, equal);
        return next(cpu, op);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet XCHG_Eb_Gb = b_rows<Exchange>();
constexpr HandlerSet XCHG_Ev_Gv = v_rows<Exchange>();
constexpr HandlerSet XCHG_Zv_rAX = v_rows_at<ExchangeWithA, Place::kRegister>();
constexpr HandlerSet XADD_Eb_Gb = b_rows<ExchangeAdd>();
constexpr HandlerSet XADD_Ev_Gv = v_rows<ExchangeAdd>();
constexpr HandlerSet CMPXCHG_Eb_Gb = b_rows<CompareExchange>();
constexpr HandlerSet CMPXCHG_Ev_Gv = v_rows<CompareExchange>();
constexpr HandlerSet CMPXCHG8B_Mq = always(&CompareExchange8B::run<u64, Place::kMemory>);
constexpr HandlerSet CMPXCHG16B_Mdq = always(&CompareExchange16B::run<u64, Place::kMemory>);

}  // namespace uchronia::cpu::interp::handler
