#include "cpu/interp/system/legacy_delivery.h"

#include "cpu/interp/segmented_stack.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp {

namespace {

bool fail(VCPU& cpu, const Op* op, Vector vector, u32 error_code) {
    cpu.raise(op, vector, error_code);
    return false;
}

bool is_interrupt_gate(u16 type) {
    return type == descriptor::kInterruptGate || type == descriptor::kInterruptGate16;
}
bool is_trap_gate(u16 type) {
    return type == descriptor::kTrapGate || type == descriptor::kTrapGate16;
}

bool read_gate(VCPU& cpu, const Op* op, const Event& event, Descriptor& gate) {
    const u32 offset = event.vector * 8u;
    if (offset + 7 > cpu.state.idtr.limit)
        return fail(cpu, op, Vector::kGP, event.gate_error());
    if (!cpu.mmu.read_system(cpu, op, static_cast<u32>(cpu.state.idtr.base + offset), &gate.low,
                             sizeof gate.low))
        return false;
    const u16 type = gate.type();
    const bool is_gate = gate.is_system() && (is_interrupt_gate(type) || is_trap_gate(type) ||
                                              type == descriptor::kTaskGate);
    if (!is_gate || (event.check_dpl && gate.dpl() < cpu.state.cpl()))
        return fail(cpu, op, Vector::kGP, event.gate_error());
    if (!gate.present())
        return fail(cpu, op, Vector::kNP, event.gate_error());
    if (type != descriptor::kTaskGate)
        return true;
    cpu.unimplemented = "an interrupt through a task gate";
    cpu.leave(op, Exit::kUnimplemented);
    return false;
}

// The frame, in values of the gate's width.
template <class T>
bool push_frame(VCPU& cpu, const Op* op, const Event& event, bool changes_stack,
                SegmentedStack& stack) {
    const CPUState& state = cpu.state;
    if (changes_stack && (!stack.push(cpu, op, static_cast<T>(state.segments[kSS].selector)) ||
                          !stack.push(cpu, op, static_cast<T>(state.gpr[kRSP]))))
        return false;
    return stack.push(cpu, op, static_cast<T>(event.pushed_flags)) &&
           stack.push(cpu, op, static_cast<T>(state.segments[kCS].selector)) &&
           stack.push(cpu, op, static_cast<T>(event.return_rip)) &&
           (!event.has_error_code || stack.push(cpu, op, static_cast<T>(event.error_code)));
}

}  // namespace

bool enter_protected_mode_handler(VCPU& cpu, const Op* op, const Event& event) {
    CPUState& state = cpu.state;
    Descriptor gate;
    Segment code;
    if (!read_gate(cpu, op, event, gate) ||
        !check_code_segment(cpu, op, gate.gate_selector(), Transfer::kGate, code, event.external()))
        return false;
    const unsigned new_cpl = code.selector & kSelectorRPL;
    const bool changes_stack = new_cpl != state.cpl();
    Segment inner = state.segments[kSS];
    SegmentedStack stack(cpu);
    if (changes_stack) {
        u16 selector = 0;
        u32 pointer = 0;
        if (!read_legacy_tss_stack(cpu, op, new_cpl, selector, pointer, event.external()) ||
            !check_inner_stack(cpu, op, selector, new_cpl, inner, event.external()))
            return false;
        const u32 error_code = (selector & ~u32{kSelectorRPL}) | event.external();
        stack = SegmentedStack(inner, pointer, error_code);
    }
    if (gate.legacy_gate_offset() > code.limit)
        return fail(cpu, op, Vector::kGP, event.external());
    const bool pushed = gate.is_wide_gate() ? push_frame<u32>(cpu, op, event, changes_stack, stack)
                                            : push_frame<u16>(cpu, op, event, changes_stack, stack);
    if (!pushed)
        return false;
    state.set_segment(kCS, code);
    state.set_segment(kSS, inner);
    stack.commit(cpu);
    state.rip = gate.legacy_gate_offset();
    state.system_flags &= ~(rflags::kTF | rflags::kNT | rflags::kRF | rflags::kVM);
    if (is_interrupt_gate(gate.type()))
        state.system_flags &= ~rflags::kIF;
    return true;
}

// No error codes here, and no privilege.
bool enter_real_mode_handler(VCPU& cpu, const Op* op, const Event& event) {
    CPUState& state = cpu.state;
    const u32 offset = event.vector * 4u;
    if (offset + 3 > state.idtr.limit)
        return fail(cpu, op, Vector::kGP, event.gate_error());
    u16 target[2];  // IP, CS
    const u32 address = static_cast<u32>(state.idtr.base + offset);
    if (!cpu.mmu.read_system(cpu, op, address, target, sizeof target))
        return false;
    SegmentedStack stack(cpu);
    if (!stack.push(cpu, op, static_cast<u16>(event.pushed_flags)) ||
        !stack.push(cpu, op, state.segments[kCS].selector) ||
        !stack.push(cpu, op, static_cast<u16>(event.return_rip)))
        return false;
    stack.commit(cpu);
    state.set_segment(kCS, real_mode_segment(state.segments[kCS], target[1]));
    state.rip = target[0];
    state.system_flags &= ~(rflags::kTF | rflags::kIF | rflags::kRF | rflags::kAC);
    return true;
}

}  // namespace uchronia::cpu::interp
