// Far JMP, CALL, RET and IRET outside 64-bit mode: in real mode, in protected mode (with the 16-bit
// and 32-bit call gates of legacy mode), and in compatibility mode. Task switches and virtual-8086
// mode are not there: they stop the machine by name.
//
// All checks come before the first change.
// Source: APM vol. 3, CALL (far), JMP (far), RET (far), IRET; vol. 2, 4.11.
#include "cpu/interp/system/far_transfers.h"
#include "cpu/interp/legacy/forms.h"
#include "cpu/interp/legacy/rows.h"
#include "cpu/interp/loaded_flags.h"
#include "cpu/interp/system/far_pointer.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp::legacy {
namespace {

bool is_protected(const CPUState& state) {
    return (state.cr0 & cr0::kPE) != 0;
}
bool is_long_mode(const CPUState& state) {
    return (state.efer & efer::kLMA) != 0;
}

bool fail(VCPU& cpu, const Op* op, Vector vector, u32 error_code) {
    cpu.raise(op, vector, error_code);
    return false;
}

void stop(VCPU& cpu, const Op* op, const char* what) {
    cpu.unimplemented = what;
    cpu.leave(op, Exit::kUnimplemented);
}

// RIP must be inside the segment that it will run in; 64-bit code has no limit.
bool check_target(VCPU& cpu, const Op* op, const Segment& code, u64 rip) {
    const bool is_long = is_long_mode(cpu.state) && (code.attributes & Segment::kLong) != 0;
    return is_long || rip <= code.limit || fail(cpu, op, Vector::kGP, 0);
}

enum class Far : u8 { kJump, kCall };

// Pushes CS and RIP.
template <class T>
bool push_return_address(VCPU& cpu, const Op* op, SegmentedStack& stack) {
    return stack.push(cpu, op, static_cast<T>(cpu.state.segments[kCS].selector)) &&
           stack.push(cpu, op, static_cast<T>(cpu.address_after(op)));
}

template <Far F, class T>
void go_to(VCPU& cpu, const Op* op, const Segment& code, u64 rip) {
    if (!check_target(cpu, op, code, rip))
        return;
    SegmentedStack stack(cpu);
    if (F == Far::kCall && !push_return_address<T>(cpu, op, stack))
        return;
    stack.commit(cpu);
    cpu.state.set_segment(kCS, code);
    cpu.state.rip = rip;
    cpu.mmu.update_context(cpu);
}

// The stack of a call to an inner level: the old one's pointer and parameters, then the return
// address.
template <class T>
bool push_inner_frame(VCPU& cpu, const Op* op, unsigned parameters, SegmentedStack& inner) {
    const CPUState& state = cpu.state;
    const SegmentedStack outer(cpu);
    if (!inner.push(cpu, op, static_cast<T>(state.segments[kSS].selector)) ||
        !inner.push(cpu, op, static_cast<T>(state.gpr[kRSP])))
        return false;
    for (unsigned i = parameters; i-- != 0;) {
        T value;
        if (!outer.read(cpu, op, outer.pointer() + i * sizeof(T), value) ||
            !inner.push(cpu, op, value))
            return false;
    }
    return push_return_address<T>(cpu, op, inner);
}

template <class T>
void call_inner(VCPU& cpu, const Op* op, const Descriptor& gate, const Segment& code) {
    const unsigned new_cpl = code.selector & kSelectorRPL;
    u16 selector = 0;
    u32 pointer = 0;
    Segment stack;
    if (!read_legacy_tss_stack(cpu, op, new_cpl, selector, pointer) ||
        !check_inner_stack(cpu, op, selector, new_cpl, stack) ||
        !check_target(cpu, op, code, gate.legacy_gate_offset()))
        return;
    SegmentedStack inner(stack, pointer, selector & ~u32{kSelectorRPL});
    if (!push_inner_frame<T>(cpu, op, gate.gate_parameter_count(), inner))
        return;
    cpu.state.set_segment(kCS, code);
    cpu.state.set_segment(kSS, stack);
    inner.commit(cpu);
    cpu.state.rip = gate.legacy_gate_offset();
    cpu.mmu.update_context(cpu);
}

template <Far F, class T>
void go_through_gate(VCPU& cpu, const Op* op, const Descriptor& gate) {
    Segment code;
    const Transfer transfer = F == Far::kCall ? Transfer::kGate : Transfer::kGateJump;
    if (!check_code_segment(cpu, op, gate.gate_selector(), transfer, code))
        return;
    if ((code.selector & kSelectorRPL) != cpu.state.cpl())
        return call_inner<T>(cpu, op, gate, code);
    return go_to<F, T>(cpu, op, code, gate.legacy_gate_offset());
}

// A far pointer to a system descriptor of legacy mode.
template <Far F>
void go_to_system_descriptor(VCPU& cpu, const Op* op, u16 selector, const Descriptor& found) {
    const u32 error_code = selector & ~u32{kSelectorRPL};
    const u16 type = found.type();
    const bool is_gate = type == descriptor::kCallGate || type == descriptor::kCallGate16;
    const bool is_task = type == descriptor::kTaskGate || type == descriptor::kAvailableTSS ||
                         type == descriptor::kAvailableTSS16;
    if ((!is_gate && !is_task) || found.dpl() < cpu.state.cpl() ||
        found.dpl() < (selector & kSelectorRPL))
        return cpu.raise(op, Vector::kGP, error_code);
    if (!found.present())
        return cpu.raise(op, Vector::kNP, error_code);
    if (is_task)
        return stop(cpu, op, "a task switch");
    return found.is_wide_gate() ? go_through_gate<F, u32>(cpu, op, found)
                                : go_through_gate<F, u16>(cpu, op, found);
}

template <Far F, class T>
void transfer(VCPU& cpu, const Op* op, const FarPointer& pointer) {
    const CPUState& state = cpu.state;
    if (F == Far::kCall && cpu.waits_for_own_block(op))
        return;
    if (!is_protected(state)) {
        const Segment code = real_mode_segment(state.segments[kCS], pointer.selector);
        return go_to<F, T>(cpu, op, code, pointer.offset);
    }
    if (is_null(pointer.selector))
        return cpu.raise(op, Vector::kGP);
    Descriptor found;
    if (!read_descriptor(cpu, op, pointer.selector, DescriptorSize::k8, found))
        return;
    if (found.is_system() && is_long_mode(state))
        return F == Far::kCall ? call_far_to(cpu, op, pointer) : jump_far_to(cpu, op, pointer);
    if (found.is_system())
        return go_to_system_descriptor<F>(cpu, op, pointer.selector, found);
    Segment code;
    if (check_code_segment(cpu, op, pointer.selector, Transfer::kDirect, code))
        go_to<F, T>(cpu, op, code, pointer.offset);
}

template <Far F>
struct TransferThroughMemory {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        FarPointer pointer;
        if (read_far_pointer(cpu, op, pointer))
            transfer<F, T>(cpu, op, pointer);
    }
};

template <Far F>
struct TransferToImmediate {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        const FarPointer pointer{static_cast<T>(op->immediate),
                                 static_cast<u16>(op->immediate >> (8 * sizeof(T)))};
        transfer<F, T>(cpu, op, pointer);
    }
};

// Goes to `code`:`rip`; `frame` is the stack after everything that the return has popped.
void return_here(VCPU& cpu, const Segment& code, u64 rip, const SegmentedStack& frame) {
    frame.commit(cpu);
    cpu.state.set_segment(kCS, code);
    cpu.state.rip = rip;
    cpu.mmu.update_context(cpu);
}

// The same with the stack of an outer level.
void return_to_outer(VCPU& cpu, const Segment& code, u64 rip, const Segment& stack, u64 pointer) {
    CPUState& state = cpu.state;
    state.set_segment(kCS, code);
    state.set_segment(kSS, stack);
    state.rip = rip;
    const bool is_long = is_long_mode(state) && (code.attributes & Segment::kLong) != 0;
    if (is_long || (stack.attributes & Segment::kBig) != 0)
        state.gpr[kRSP] = pointer;
    else
        register_at<u16>(cpu, 8 * kRSP) = static_cast<u16>(pointer);
    drop_inner_segments(state);
    cpu.mmu.update_context(cpu);
}

// Pops the outer stack and checks it.
template <class T>
bool pop_outer_stack(VCPU& cpu, const Op* op, const Segment& code, SegmentedStack& frame,
                     Segment& stack, T& pointer) {
    T selector;
    const bool is_long = is_long_mode(cpu.state) && (code.attributes & Segment::kLong) != 0;
    return frame.pop(cpu, op, pointer) && frame.pop(cpu, op, selector) &&
           check_return_stack(cpu, op, static_cast<u16>(selector), code.selector & kSelectorRPL,
                              is_long, stack);
}

// The code segment of a return.
bool find_code(VCPU& cpu, const Op* op, u16 selector, u64 rip, Segment& code) {
    if (!is_protected(cpu.state))
        code = real_mode_segment(cpu.state.segments[kCS], selector);
    else if (!check_code_segment(cpu, op, selector, Transfer::kReturn, code))
        return false;
    return check_target(cpu, op, code, rip);
}

bool changes_privilege(const CPUState& state, const Segment& code) {
    return is_protected(state) && (code.selector & kSelectorRPL) != state.cpl();
}

// The immediate is 0 where there is none.
struct ReturnFar {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        const u16 released = static_cast<u16>(op->immediate);
        SegmentedStack frame(cpu);
        T rip, selector;
        Segment code;
        if (!frame.pop(cpu, op, rip) || !frame.pop(cpu, op, selector) ||
            !find_code(cpu, op, static_cast<u16>(selector), rip, code))
            return;
        frame.release(released);
        if (!changes_privilege(cpu.state, code))
            return return_here(cpu, code, rip, frame);
        Segment stack;
        T pointer;
        if (pop_outer_stack(cpu, op, code, frame, stack, pointer))
            return_to_outer(cpu, code, rip, stack, static_cast<T>(pointer + released));
    }
};

template <class T>
void load_returned_flags(VCPU& cpu, u64 mask, T flags) {
    CPUState& state = cpu.state;
    state.set_rflags((state.rflags() & ~mask) | (flags & mask));
    state.nmi_masked = false;
    cpu.loaded_rf = true;
}

struct ReturnFromInterrupt {
    template <class T>
    static void run(VCPU& cpu, const Op* op) {
        CPUState& state = cpu.state;
        if (is_protected(state) && (state.system_flags & rflags::kNT) != 0)
            return is_long_mode(state) ? cpu.raise(op, Vector::kGP)
                                       : stop(cpu, op, "a return to another task");
        SegmentedStack frame(cpu);
        T rip, selector, flags;
        Segment code;
        if (!frame.pop(cpu, op, rip) || !frame.pop(cpu, op, selector) || !frame.pop(cpu, op, flags))
            return;
        const bool virtual_mode = (u64{flags} & rflags::kVM) != 0 && is_protected(state) &&
                                  state.cpl() == 0 && !is_long_mode(state);
        if (virtual_mode)
            return stop(cpu, op, "virtual-8086 mode");
        if (!find_code(cpu, op, static_cast<u16>(selector), rip, code))
            return;
        const u64 mask = loadable_flags(state, sizeof(T));
        if (!changes_privilege(state, code)) {
            load_returned_flags(cpu, mask, flags);
            return return_here(cpu, code, rip, frame);
        }
        Segment stack;
        T pointer;
        if (!pop_outer_stack(cpu, op, code, frame, stack, pointer))
            return;
        load_returned_flags(cpu, mask, flags);
        return_to_outer(cpu, code, rip, stack, pointer);
    }
};

}  // namespace

constexpr HandlerSet CALLF_Mp = branch_rows<TransferThroughMemory<Far::kCall>>();
constexpr HandlerSet JMPF_Mp = branch_rows<TransferThroughMemory<Far::kJump>>();
constexpr HandlerSet RETF = branch_rows<ReturnFar>();
constexpr HandlerSet RETF_Iw = RETF;
constexpr HandlerSet IRET = branch_rows<ReturnFromInterrupt>();

}  // namespace uchronia::cpu::interp::legacy

namespace uchronia::cpu::interp::handler {

using namespace interp::legacy;

constexpr HandlerSet CALLF_Ap = branch_rows<TransferToImmediate<Far::kCall>>();
constexpr HandlerSet JMPF_Ap = branch_rows<TransferToImmediate<Far::kJump>>();

}  // namespace uchronia::cpu::interp::handler
