// How the general-purpose handlers reach their operands.
//
// A handler is a class with one function template, run<T, P>: T is the operand's unsigned type, P
// says where ModRM.rm (or the implicit memory operand) is. The functions at the end make the
// HandlerSet of a row from the class.
//
// A memory form is compiled twice. kMemory has the fast path only, so that it keeps nothing across
// a call and spills nothing; where that fails, before anything has changed, it leaves with
// `return miss<...>`, which runs the instruction again as kSlowMemory, through the MMU. So in every
// handler:
//
//     if (!load_E<P>(cpu, op, value))
//         return miss<Self, T, P>(cpu, op);
//
// and a failure of kSlowMemory means that the exit is recorded in the VCPU.
#pragma once

#include "cpu/access.h"
#include "cpu/interp/handlers.h"

namespace uchronia::cpu::interp::integer {

enum class Place : u8 { kRegister, kMemory, kSlowMemory };

template <class Self, class T>
[[gnu::noinline, gnu::cold]] void run_slow(VCPU& cpu, const Op* op) {
    return Self::template run<T, Place::kSlowMemory>(cpu, op);
}

template <class Self, class T, Place P>
[[gnu::always_inline]] inline void miss(VCPU& cpu, const Op* op) {
    if constexpr (P == Place::kMemory)
        return run_slow<Self, T>(cpu, op);
}

// Memory at a linear address.
template <Place P, class T>
[[gnu::always_inline]] inline bool load_at(VCPU& cpu, const Op* op, u64 address, T& value) {
    static_assert(P != Place::kRegister);
    if constexpr (P == Place::kSlowMemory) {
        return read_memory(cpu, op, address, value);
    } else {
        const TableEntry& entry = table_entry(cpu, address);
        if (entry.read == 0 || !fits_in_page(address, sizeof(T)) || !is_canonical(address))
            [[unlikely]]
            return false;
        std::memcpy(&value, reinterpret_cast<const void*>(address + entry.read), sizeof(T));
        return true;
    }
}

template <Place P, class T>
[[gnu::always_inline]] inline bool store_at(VCPU& cpu, const Op* op, u64 address, T value) {
    static_assert(P != Place::kRegister);
    if constexpr (P == Place::kSlowMemory) {
        return write_memory(cpu, op, address, value);
    } else {
        T* const pointer = writable_pointer<T>(cpu, address);
        if (pointer == nullptr) [[unlikely]]
            return false;
        std::memcpy(pointer, &value, sizeof(T));
        return true;
    }
}

// Implicit operands, whose faults the MMU cannot tell from ModRM: an address that is not canonical
// gives #SS on the stack, and #GP elsewhere (strings, XLAT, moffs) (APM vol. 2, 8.2.13 and 8.2.14).
[[gnu::always_inline]] inline bool check_implicit(VCPU& cpu, const Op* op, u64 address, u64 size,
                                                  Vector vector) {
    if (is_canonical(address) && is_canonical(address + size - 1)) [[likely]]
        return true;
    cpu.raise(op, vector);
    return false;
}
template <Place P, Vector V, class T>
[[gnu::always_inline]] inline bool load_implicit(VCPU& cpu, const Op* op, u64 address, T& value) {
    if (P == Place::kSlowMemory && !check_implicit(cpu, op, address, sizeof(T), V))
        return false;
    return load_at<P>(cpu, op, address, value);
}
template <Place P, Vector V, class T>
[[gnu::always_inline]] inline bool store_implicit(VCPU& cpu, const Op* op, u64 address, T value) {
    if (P == Place::kSlowMemory && !check_implicit(cpu, op, address, sizeof(T), V))
        return false;
    return store_at<P>(cpu, op, address, value);
}

// Reads memory, computes `operation(old, flags)`, writes the result, and commits the flags only
// then.
template <class T, Place P, class Operation>
[[gnu::always_inline]] inline bool modify_at(VCPU& cpu, const Op* op, u64 address,
                                             Operation operation) {
    static_assert(P != Place::kRegister);
    ArithmeticFlags flags = cpu.state.flags;
    T value;
    if constexpr (P == Place::kSlowMemory) {
        if (!read_for_write(cpu, op, address, value) ||
            !write_memory(cpu, op, address, static_cast<T>(operation(value, flags))))
            return false;
    } else {
        T* const pointer = writable_pointer<T>(cpu, address);
        if (pointer == nullptr) [[unlikely]]
            return false;
        std::memcpy(&value, pointer, sizeof(T));
        value = operation(value, flags);
        std::memcpy(pointer, &value, sizeof(T));
    }
    cpu.state.flags = flags;
    return true;
}

// The linear address of an operand at an offset, as linear_address_at: the fast form leaves what is
// not simple to the slow one.
template <Place P, class T>
[[gnu::always_inline]] inline u64 operand_address_at(const VCPU& cpu, const Op* op, u64 offset,
                                                     Access access) {
    if constexpr (P == Place::kSlowMemory) {
        return linear_address_at(cpu, op, offset, access, sizeof(T));
    } else {
        if ((op->flags & kSpecialAddress) != 0) [[unlikely]]
            return kNotCanonical;
        return offset + cpu.state.segment_base[op->segment];
    }
}
template <Place P, class T>
[[gnu::always_inline]] inline u64 operand_address(const VCPU& cpu, const Op* op, Access access) {
    return operand_address_at<P, T>(cpu, op, address_sum(cpu, op), access);
}

// The operand that ModRM.rm names: E in the opcode maps.
template <Place P, class T>
[[gnu::always_inline]] inline bool load_E(VCPU& cpu, const Op* op, T& value) {
    if constexpr (P == Place::kRegister) {
        value = register_at<T>(cpu, op->rm);
        return true;
    } else {
        return load_at<P>(cpu, op, operand_address<P, T>(cpu, op, Access::kRead), value);
    }
}

template <Place P, class T>
[[gnu::always_inline]] inline bool store_E(VCPU& cpu, const Op* op, T value) {
    if constexpr (P == Place::kRegister) {
        set_register<T>(cpu, op->rm, value);
        return true;
    } else {
        return store_at<P>(cpu, op, operand_address<P, T>(cpu, op, Access::kWrite), value);
    }
}

template <class T, Place P, class Operation>
[[gnu::always_inline]] inline bool modify_E(VCPU& cpu, const Op* op, Operation operation) {
    if constexpr (P == Place::kRegister) {
        ArithmeticFlags flags = cpu.state.flags;
        set_register<T>(cpu, op->rm, operation(register_at<T>(cpu, op->rm), flags));
        cpu.state.flags = flags;
        return true;
    } else {
        return modify_at<T, P>(cpu, op, operand_address<P, T>(cpu, op, Access::kWrite), operation);
    }
}

// Source operands that need no memory.
struct FromG {
    template <class T>
    static T get(const VCPU& cpu, const Op* op) {
        return *reinterpret_cast<const T*>(reinterpret_cast<const u8*>(cpu.state.gpr.data()) +
                                           op->reg);
    }
};
struct FromImmediate {
    template <class T>
    static T get(const VCPU&, const Op* op) {
        return static_cast<T>(op->immediate);
    }
};
struct FromOne {
    template <class T>
    static T get(const VCPU&, const Op*) {
        return 1;
    }
};
struct FromCL {
    template <class T>
    static T get(const VCPU& cpu, const Op*) {
        return static_cast<T>(cpu.state.gpr[kRCX]);
    }
};

// The general register in VEX.vvvv: B in the opcode maps.
struct FromB {
    template <class T>
    static T get(VCPU& cpu, const Op* op) {
        return register_at<T>(cpu, vex_vvvv(op));
    }
};

// Whether the model has BMI1, BMI2, LZCNT and MOVBE.
inline bool has_v3(const VCPU& cpu) {
    return cpu.platform.cpu_model() >= CPUModel::kV3;
}

// Byte offsets of the registers that opcodes imply.
inline constexpr u8 kOffsetRAX = 8 * kRAX, kOffsetAH = 1, kOffsetRDX = 8 * kRDX,
                    kOffsetRBP = 8 * kRBP;

// Rows with ModRM: operands of 16, 32 or 64 bits (v), and of 8 bits (b).
template <class H>
constexpr HandlerSet v_rows() {
    return {&H::template run<u16, Place::kRegister>, &H::template run<u32, Place::kRegister>,
            &H::template run<u64, Place::kRegister>, &H::template run<u16, Place::kMemory>,
            &H::template run<u32, Place::kMemory>,   &H::template run<u64, Place::kMemory>};
}
template <class H>
constexpr HandlerSet b_rows() {
    return by_form(&H::template run<u8, Place::kRegister>, &H::template run<u8, Place::kMemory>);
}

// Rows with VEX: 32 or 64 bits by VEX.W (y).
template <class H>
constexpr HandlerSet y_rows() {
    constexpr Handler reg32 = &H::template run<u32, Place::kRegister>,
                      reg64 = &H::template run<u64, Place::kRegister>,
                      mem32 = &H::template run<u32, Place::kMemory>,
                      mem64 = &H::template run<u64, Place::kMemory>;
    return {reg32, reg32, reg64, mem32, mem32, mem64};
}

// Rows without ModRM: P is kMemory if they have an implicit memory operand.
template <class H, Place P>
constexpr HandlerSet v_rows_at() {
    constexpr Handler word = &H::template run<u16, P>, doubleword = &H::template run<u32, P>,
                      quadword = &H::template run<u64, P>;
    return {word, doubleword, quadword, word, doubleword, quadword};
}
template <class H, Place P>
constexpr HandlerSet b_rows_at() {
    return always(&H::template run<u8, P>);
}

// Stack rows: 16 or 64 bits, there are no 32-bit operands in 64-bit mode.
template <class H, Place P>
constexpr HandlerSet stack_rows_at() {
    constexpr Handler word = &H::template run<u16, P>, quadword = &H::template run<u64, P>;
    return {word, quadword, quadword, word, quadword, quadword};
}

}  // namespace uchronia::cpu::interp::integer
