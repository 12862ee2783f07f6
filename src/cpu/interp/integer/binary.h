// Handlers of the instructions with one operation on two operands, or on one (see alu.h).
#pragma once

#include "cpu/interp/integer/forms.h"

namespace uchronia::cpu::interp::integer {

// E := E op source
template <class Operation, class Source>
struct BinaryToE {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        const T source = Source::template get<T>(cpu, op);
        if (!modify_E<T, P>(cpu, op, [source](T value, ArithmeticFlags& flags) {
                return Operation::template apply<T>(value, source, flags);
            }))
            return miss<BinaryToE, T, P>(cpu, op);
        return next(cpu, op);
    }
};

// G := G op E
template <class Operation>
struct BinaryToG {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T source;
        if (!load_E<P>(cpu, op, source))
            return miss<BinaryToG, T, P>(cpu, op);
        const T value = FromG::get<T>(cpu, op);
        set_register<T>(cpu, op->reg, Operation::template apply<T>(value, source, cpu.state.flags));
        return next(cpu, op);
    }
};

// rAX := rAX op immediate
template <class Operation>
struct BinaryToA {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        const T value = register_at<T>(cpu, kOffsetRAX);
        const T source = FromImmediate::get<T>(cpu, op);
        set_register<T>(cpu, kOffsetRAX,
                        Operation::template apply<T>(value, source, cpu.state.flags));
        return next(cpu, op);
    }
};

// Flags of E op source (CMP, TEST)
template <class Operation, class Source>
struct CompareE {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_E<P>(cpu, op, value))
            return miss<CompareE, T, P>(cpu, op);
        Operation::template apply<T>(value, Source::template get<T>(cpu, op), cpu.state.flags);
        return next(cpu, op);
    }
};

// Flags of G op E
template <class Operation>
struct CompareG {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T source;
        if (!load_E<P>(cpu, op, source))
            return miss<CompareG, T, P>(cpu, op);
        Operation::template apply<T>(FromG::get<T>(cpu, op), source, cpu.state.flags);
        return next(cpu, op);
    }
};

// Flags of rAX op immediate
template <class Operation>
struct CompareA {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        Operation::template apply<T>(register_at<T>(cpu, kOffsetRAX),
                                     FromImmediate::get<T>(cpu, op), cpu.state.flags);
        return next(cpu, op);
    }
};

// E := op E
template <class Operation>
struct UnaryE {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        if (!modify_E<T, P>(cpu, op, [](T value, ArithmeticFlags& flags) {
                return Operation::template apply<T>(value, flags);
            }))
            return miss<UnaryE, T, P>(cpu, op);
        return next(cpu, op);
    }
};

}  // namespace uchronia::cpu::interp::integer
