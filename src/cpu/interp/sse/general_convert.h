// Conversions between a scalar in a vector register and a general register, in the legacy and the
// VEX encoding.
//
// `Encoding` is what the two differ in:
//     available(cpu, op)    whether the instruction may run; if not, a fault is recorded
//     first(op)             the register whose upper elements the result keeps
//     set(cpu, op, value)   writes ModRM.reg
// F32 and F64 are functions of float_operations.h, for general registers of 32 and 64 bits.
#pragma once

#include "cpu/interp/sse/float_unit.h"
#include "cpu/interp/sse/operand.h"

namespace uchronia::cpu::interp::sse {

// General register or memory to a scalar.
template <class Encoding, auto F, class T>
struct FromInteger {
    [[gnu::always_inline]] static bool convert(VCPU& cpu, const Op* op, T value) {
        const __m128i first = xmm(cpu, Encoding::first(op));
        __m128i result = first;
        if (!execute_float(cpu, op, [&] { result = F(first, value); })) [[unlikely]]
            return false;
        Encoding::set(cpu, op, result);
        return true;
    }
    static void register_form(VCPU& cpu, const Op* op) {
        if (!Encoding::available(cpu, op) || !convert(cpu, op, register_at<T>(cpu, op->rm)))
            [[unlikely]]
            return;
        return next(cpu, op);
    }
    static void memory_form(VCPU& cpu, const Op* op) {
        if (!Encoding::available(cpu, op)) [[unlikely]]
            return;
        T value;
        if (!read_memory(cpu, op, linear_address(cpu, op), value)) [[unlikely]]
            return;
        if (!convert(cpu, op, value)) [[unlikely]]
            return;
        return next(cpu, op);
    }
};
template <class Encoding, auto F32, auto F64>
consteval HandlerSet from_integer() {
    using Form32 = FromInteger<Encoding, F32, u32>;
    using Form64 = FromInteger<Encoding, F64, u64>;
    return by_width(Form32::register_form, Form64::register_form, Form32::memory_form,
                    Form64::memory_form);
}

// Scalar to a general register.
template <class Encoding, auto F, class T, Width width>
struct ToInteger {
    [[gnu::always_inline]] static bool convert(VCPU& cpu, const Op* op, __m128i source) {
        T result = 0;
        if (!execute_float(cpu, op, [&] { result = F(source); })) [[unlikely]]
            return false;
        set_register(cpu, op->reg, result);
        return true;
    }
    static void register_form(VCPU& cpu, const Op* op) {
        if (!Encoding::available(cpu, op) || !convert(cpu, op, xmm(cpu, op->rm))) [[unlikely]]
            return;
        return next(cpu, op);
    }
    static void memory_form(VCPU& cpu, const Op* op) {
        if (!Encoding::available(cpu, op)) [[unlikely]]
            return;
        const Loaded source = load<width>(cpu, op);
        if (!source.ok || !convert(cpu, op, source.value)) [[unlikely]]
            return;
        return next(cpu, op);
    }
};
template <class Encoding, auto F32, auto F64, Width width>
consteval HandlerSet to_integer() {
    using Form32 = ToInteger<Encoding, F32, u32, width>;
    using Form64 = ToInteger<Encoding, F64, u64, width>;
    return by_width(Form32::register_form, Form64::register_form, Form32::memory_form,
                    Form64::memory_form);
}

}  // namespace uchronia::cpu::interp::sse
