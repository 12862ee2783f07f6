// PUSH, POP, PUSHA, POPA, ENTER, LEAVE, PUSHF and POPF outside 64-bit mode: operands of 16 or 32
// bits, on a stack of SP or ESP.
// Source: APM vol. 3, the pages of each.
#include <algorithm>

#include "cpu/interp/legacy/forms.h"
#include "cpu/interp/legacy/rows.h"
#include "cpu/interp/loaded_flags.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp::legacy {
namespace {

template <class T>
bool push(VCPU& cpu, const Op* op, T value) {
    SegmentedStack stack(cpu);
    if (!stack.push(cpu, op, value))
        return false;
    stack.commit(cpu);
    return true;
}

template <class T>
bool pop(VCPU& cpu, const Op* op, T& value) {
    SegmentedStack stack(cpu);
    if (!stack.pop(cpu, op, value))
        return false;
    stack.commit(cpu);
    return true;
}

struct PushRegister {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        return push(cpu, op, register_at<T>(cpu, op->reg));
    }
};
struct PushImmediate {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        return push(cpu, op, static_cast<T>(op->immediate));
    }
};
struct PushE {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        T value;
        return load_E(cpu, op, value) && push(cpu, op, value);
    }
};
template <SegmentRegister S>
struct PushSegment {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        return push(cpu, op, static_cast<T>(cpu.state.segments[S].selector));
    }
};
// RF and VM are pushed as 0 (APM vol. 3, PUSHF).
struct PushFlags {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        return push(cpu, op, static_cast<T>(cpu.state.rflags() & ~(rflags::kRF | rflags::kVM)));
    }
};

// POP rSP leaves the value that was popped.
struct PopRegister {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        T value;
        if (!pop(cpu, op, value))
            return false;
        set_register<T>(cpu, op->reg, value);
        return true;
    }
};
// The destination's address is computed with the new rSP (APM vol. 3, POP).
struct PopE {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        const u64 rsp = cpu.state.gpr[kRSP];
        T value;
        if (!pop(cpu, op, value))
            return false;
        if (store_E(cpu, op, value))
            return true;
        cpu.state.gpr[kRSP] = rsp;
        return false;
    }
};
// rSP moves only when the segment has been loaded.
template <SegmentRegister S>
struct PopSegment {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        SegmentedStack stack(cpu);
        T selector;
        if (!stack.pop(cpu, op, selector) || !load_segment(cpu, op, S, static_cast<u16>(selector)))
            return false;
        stack.commit(cpu);
        if (S == kSS)
            cpu.state.interrupt_shadow = true;
        return true;
    }
};

struct PopFlags {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        T value;
        if (!pop(cpu, op, value))
            return false;
        load_flags<T>(cpu, value);
        return true;
    }
};

struct PushAll {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        SegmentedStack stack(cpu);
        for (u8 i = kRAX; i <= kRDI; ++i) {
            if (!stack.push(cpu, op, register_at<T>(cpu, static_cast<u8>(8 * i))))
                return false;
        }
        stack.commit(cpu);
        return true;
    }
};
// What was pushed of rSP is skipped.
struct PopAll {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        SegmentedStack stack(cpu);
        T values[8];
        for (unsigned i = 8; i-- != 0;) {
            if (!stack.pop(cpu, op, values[i]))
                return false;
        }
        stack.commit(cpu);
        for (u8 i = kRAX; i <= kRDI; ++i) {
            if (i != kRSP)
                set_register<T>(cpu, static_cast<u8>(8 * i), values[i]);
        }
        return true;
    }
};

constexpr u8 kOffsetRBP = 8 * kRBP;

// Registers change only when every store has succeeded.
struct Enter {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        SegmentedStack stack(cpu);
        const unsigned level = (op->immediate >> 16) & 31;
        if (level > 1 && cpu.waits_for_own_block(op))
            return false;
        if (!stack.push(cpu, op, register_at<T>(cpu, kOffsetRBP)))
            return false;
        const u64 frame = stack.pointer();
        for (unsigned i = 1; i < level; ++i) {
            T outer;
            if (!stack.read(cpu, op, cpu.state.gpr[kRBP] - i * sizeof(T), outer) ||
                !stack.push(cpu, op, outer))
                return false;
        }
        if (level != 0 && !stack.push(cpu, op, static_cast<T>(frame)))
            return false;
        stack.set_pointer(stack.pointer() - static_cast<u16>(op->immediate));
        stack.commit(cpu);
        set_register<T>(cpu, kOffsetRBP, static_cast<T>(frame));
        return true;
    }
};

struct Leave {
    template <class T>
    static bool work(VCPU& cpu, const Op* op) {
        SegmentedStack stack(cpu);
        T value;
        stack.set_pointer(cpu.state.gpr[kRBP]);
        if (!stack.pop(cpu, op, value))
            return false;
        stack.commit(cpu);
        set_register<T>(cpu, kOffsetRBP, value);
        return true;
    }
};

}  // namespace

constexpr HandlerSet PUSH_Zv = rows<PushRegister>();
constexpr HandlerSet PUSH_Iz = rows<PushImmediate>();
constexpr HandlerSet PUSH_Ib = PUSH_Iz;
constexpr HandlerSet PUSH_Ev = rows<PushE>();
constexpr HandlerSet PUSH_FS = rows<PushSegment<kFS>>();
constexpr HandlerSet PUSH_GS = rows<PushSegment<kGS>>();
constexpr HandlerSet POP_Zv = rows<PopRegister>();
constexpr HandlerSet POP_Ev = rows<PopE>();
constexpr HandlerSet POP_FS = ending_rows<PopSegment<kFS>>();
constexpr HandlerSet POP_GS = ending_rows<PopSegment<kGS>>();
constexpr HandlerSet ENTER_Iw_Ib = rows<Enter>();
constexpr HandlerSet LEAVE = rows<Leave>();
constexpr HandlerSet PUSHF = rows<PushFlags>();
constexpr HandlerSet POPF = ending_rows<PopFlags>();

}  // namespace uchronia::cpu::interp::legacy

namespace uchronia::cpu::interp::handler {

using namespace interp::legacy;

constexpr HandlerSet PUSH_ES = rows<PushSegment<kES>>();
constexpr HandlerSet PUSH_CS = rows<PushSegment<kCS>>();
constexpr HandlerSet PUSH_SS = rows<PushSegment<kSS>>();
constexpr HandlerSet PUSH_DS = rows<PushSegment<kDS>>();
constexpr HandlerSet POP_ES = ending_rows<PopSegment<kES>>();
constexpr HandlerSet POP_SS = ending_rows<PopSegment<kSS>>();
constexpr HandlerSet POP_DS = ending_rows<PopSegment<kDS>>();
constexpr HandlerSet PUSHA = rows<PushAll>();
constexpr HandlerSet POPA = rows<PopAll>();

}  // namespace uchronia::cpu::interp::handler
