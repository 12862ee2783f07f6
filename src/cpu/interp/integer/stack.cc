// PUSH, POP, ENTER, LEAVE, PUSHF, POPF. The stack segment is flat in 64-bit mode; operands are of
// 16 or 64 bits, addresses of 64.
#include "cpu/interp/integer/forms.h"
#include "cpu/interp/loaded_flags.h"

namespace uchronia::cpu::interp::integer {
namespace {

// RSP changes only when the store has succeeded.
template <Place P, class T>
[[gnu::always_inline]] inline bool push(VCPU& cpu, const Op* op, T value) {
    const u64 address = cpu.state.gpr[kRSP] - sizeof(T);
    if (!store_implicit<P, Vector::kSS, T>(cpu, op, address, value))
        return false;
    cpu.state.gpr[kRSP] = address;
    return true;
}

struct FromRM {
    template <class T>
    static T get(VCPU& cpu, const Op* op) {
        return register_at<T>(cpu, op->rm);
    }
};
template <SegmentRegister S>
struct FromSegment {
    template <class T>
    static T get(const VCPU& cpu, const Op*) {
        return cpu.state.segments[S].selector;
    }
};
// RF and VM are pushed as 0 (APM vol. 3, PUSHF).
struct FromFlags {
    template <class T>
    static T get(const VCPU& cpu, const Op*) {
        return static_cast<T>(cpu.state.rflags() & ~(rflags::kRF | rflags::kVM));
    }
};

template <class Source>
struct Push {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        if (!push<P, T>(cpu, op, Source::template get<T>(cpu, op)))
            return miss<Push, T, P>(cpu, op);
        return next(cpu, op);
    }
};

struct PushMemory {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_E<P>(cpu, op, value) || !push<P, T>(cpu, op, value))
            return miss<PushMemory, T, P>(cpu, op);
        return next(cpu, op);
    }
};

enum class Operand : u8 { kReg, kRM };

// POP RSP leaves the value that was popped.
template <Operand O>
struct PopRegister {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_implicit<P, Vector::kSS>(cpu, op, cpu.state.gpr[kRSP], value))
            return miss<PopRegister, T, P>(cpu, op);
        cpu.state.gpr[kRSP] += sizeof(T);
        set_register<T>(cpu, O == Operand::kReg ? op->reg : op->rm, value);
        return next(cpu, op);
    }
};

// The destination's address is computed with the new RSP (APM vol. 3, POP).
struct PopMemory {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        const u64 stack = cpu.state.gpr[kRSP];
        if (!load_implicit<P, Vector::kSS>(cpu, op, stack, value))
            return miss<PopMemory, T, P>(cpu, op);
        cpu.state.gpr[kRSP] = stack + sizeof(T);
        if (!store_E<P, T>(cpu, op, value)) {
            cpu.state.gpr[kRSP] = stack;
            return miss<PopMemory, T, P>(cpu, op);
        }
        return next(cpu, op);
    }
};

// Copies the frame pointers of `level` - 1 outer frames and the new one's own; false on a fault.
template <class T>
bool copy_frame_pointers(VCPU& cpu, const Op* op, unsigned level, u64& stack, u64 frame) {
    u64 outer = cpu.state.gpr[kRBP];
    for (unsigned i = 1; i < level; ++i) {
        T pointer;
        outer -= sizeof(T);
        stack -= sizeof(T);
        if (!read_memory(cpu, op, outer, pointer) || !write_memory(cpu, op, stack, pointer))
            return false;
    }
    stack -= sizeof(T);
    return write_memory(cpu, op, stack, static_cast<T>(frame));
}

// Registers change only when every store has succeeded, and the new top of the stack is writable
// (APM vol. 3, ENTER). Rare, so without a fast form.
struct Enter {
    template <class T, Place>
    static void run(VCPU& cpu, const Op* op) {
        const u64 size = static_cast<u16>(op->immediate);
        const unsigned level = (op->immediate >> 16) & 31;
        u64 stack = cpu.state.gpr[kRSP] - sizeof(T);
        const u64 frame = stack;
        if (level > 1 && cpu.waits_for_own_block(op))
            return;
        if (!write_memory(cpu, op, stack, register_at<T>(cpu, kOffsetRBP)))
            return;
        if (level != 0 && !copy_frame_pointers<T>(cpu, op, level, stack, frame))
            return;
        stack -= size;
        if (!check_writable(cpu, op, stack, sizeof(T)))
            return;
        cpu.state.gpr[kRSP] = stack;
        set_register<T>(cpu, kOffsetRBP, static_cast<T>(frame));
        return next(cpu, op);
    }
};

struct Leave {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        const u64 frame = cpu.state.gpr[kRBP];
        if (!load_implicit<P, Vector::kSS>(cpu, op, frame, value))
            return miss<Leave, T, P>(cpu, op);
        cpu.state.gpr[kRSP] = frame + sizeof(T);
        set_register<T>(cpu, kOffsetRBP, value);
        return next(cpu, op);
    }
};

struct PopFlags {
    template <class T, Place P>
    static void run(VCPU& cpu, const Op* op) {
        T value;
        if (!load_implicit<P, Vector::kSS>(cpu, op, cpu.state.gpr[kRSP], value))
            return miss<PopFlags, T, P>(cpu, op);
        cpu.state.gpr[kRSP] += sizeof(T);
        cpu.state.rip = cpu.address_after(op);
        load_flags<T>(cpu, value);
    }
};

}  // namespace
}  // namespace uchronia::cpu::interp::integer

namespace uchronia::cpu::interp::handler {

using namespace integer;

constexpr HandlerSet PUSH_Zv = stack_rows_at<Push<FromG>, Place::kMemory>();
constexpr HandlerSet PUSH_Iz = stack_rows_at<Push<FromImmediate>, Place::kMemory>();
constexpr HandlerSet PUSH_Ib = PUSH_Iz;
constexpr HandlerSet PUSH_Ev = {
    &Push<FromRM>::run<u16, Place::kMemory>, &Push<FromRM>::run<u64, Place::kMemory>,
    &Push<FromRM>::run<u64, Place::kMemory>, &PushMemory::run<u16, Place::kMemory>,
    &PushMemory::run<u64, Place::kMemory>,   &PushMemory::run<u64, Place::kMemory>,
};
constexpr HandlerSet PUSH_FS = stack_rows_at<Push<FromSegment<kFS>>, Place::kMemory>();
constexpr HandlerSet PUSH_GS = stack_rows_at<Push<FromSegment<kGS>>, Place::kMemory>();
constexpr HandlerSet POP_Zv = stack_rows_at<PopRegister<Operand::kReg>, Place::kMemory>();
constexpr HandlerSet POP_Ev = {
    &PopRegister<Operand::kRM>::run<u16, Place::kMemory>,
    &PopRegister<Operand::kRM>::run<u64, Place::kMemory>,
    &PopRegister<Operand::kRM>::run<u64, Place::kMemory>,
    &PopMemory::run<u16, Place::kMemory>,
    &PopMemory::run<u64, Place::kMemory>,
    &PopMemory::run<u64, Place::kMemory>,
};
constexpr HandlerSet ENTER_Iw_Ib = stack_rows_at<Enter, Place::kMemory>();
constexpr HandlerSet LEAVE = stack_rows_at<Leave, Place::kMemory>();
constexpr HandlerSet PUSHF = stack_rows_at<Push<FromFlags>, Place::kMemory>();
constexpr HandlerSet POPF = stack_rows_at<PopFlags, Place::kMemory>();

}  // namespace uchronia::cpu::interp::handler
