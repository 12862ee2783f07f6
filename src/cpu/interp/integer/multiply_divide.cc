// MUL, IMUL (one, two and three operands), DIV, IDIV.
#include "cpu/interp/integer/multiply_divide.h"

#include "cpu/interp/integer/forms.h"

namespace uchronia::cpu::interp::integer {
namespace {

// The double-width register pair: AH:AL for bytes, else rDX:rAX.
template <class T>
inline constexpr u8 kOffsetHigh = sizeof(T) == 1 ? kOffsetAH : kOffsetRDX;

// high:rAX := rAX * E
template <class Operation>
struct MultiplyA {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T source;
        if (!load_E<P>(cpu, op, source))
            return miss<MultiplyA, T, P>(cpu, op);
        const Pair<T> product =
            Operation::template apply<T>(register_at<T>(cpu, kOffsetRAX), source, cpu.state.flags);
        set_register<T>(cpu, kOffsetRAX, product.low);
        set_register<T>(cpu, kOffsetHigh<T>, product.high);
        return next(cpu, op);
    }
};

// G := E * immediate, or G * E
template <class Source>
struct MultiplyG {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_E<P>(cpu, op, value))
            return miss<MultiplyG, T, P>(cpu, op);
        const T source = Source::template get<T>(cpu, op);
        set_register<T>(cpu, op->reg, MultiplySigned::apply<T>(value, source, cpu.state.flags).low);
        return next(cpu, op);
    }
};

// rAX, high := high:rAX divided by E
template <class Operation>
struct DivideA {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T divisor;
        if (!load_E<P>(cpu, op, divisor))
            return miss<DivideA, T, P>(cpu, op);
        const Pair<T> dividend = {register_at<T>(cpu, kOffsetHigh<T>),
                                  register_at<T>(cpu, kOffsetRAX)};
        const Division<T> result = Operation::template apply<T>(dividend, divisor);
        if (!result.ok) [[unlikely]]
            return cpu.raise(op, Vector::kDE);
        set_register<T>(cpu, kOffsetRAX, result.quotient);
        set_register<T>(cpu, kOffsetHigh<T>, result.remainder);
        set_divide_flags(cpu.state.flags);
        return next(cpu, op);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet MUL_Eb = b_rows<MultiplyA<MultiplyUnsigned>>();
constexpr HandlerSet MUL_Ev = v_rows<MultiplyA<MultiplyUnsigned>>();
constexpr HandlerSet IMUL_Eb = b_rows<MultiplyA<MultiplySigned>>();
constexpr HandlerSet IMUL_Ev = v_rows<MultiplyA<MultiplySigned>>();
constexpr HandlerSet IMUL_Gv_Ev = v_rows<MultiplyG<FromG>>();
constexpr HandlerSet IMUL_Gv_Ev_Iz = v_rows<MultiplyG<FromImmediate>>();
constexpr HandlerSet IMUL_Gv_Ev_Ib = IMUL_Gv_Ev_Iz;
constexpr HandlerSet DIV_Eb = b_rows<DivideA<DivideUnsigned>>();
constexpr HandlerSet DIV_Ev = v_rows<DivideA<DivideUnsigned>>();
constexpr HandlerSet IDIV_Eb = b_rows<DivideA<DivideSigned>>();
constexpr HandlerSet IDIV_Ev = v_rows<DivideA<DivideSigned>>();

}  // namespace uchronia::cpu::interp::handler
