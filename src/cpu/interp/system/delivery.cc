#include "cpu/interp/system/delivery.h"

#include <utility>

#include "cpu/access.h"
#include "cpu/interp/system/debug.h"
#include "cpu/interp/system/event.h"
#include "cpu/interp/system/legacy_delivery.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp {

namespace {

bool has_error_code(Vector vector) {
    switch (vector) {
        case Vector::kDF:
        case Vector::kTS:
        case Vector::kNP:
        case Vector::kSS:
        case Vector::kGP:
        case Vector::kPF:
        case Vector::kAC:
            return true;
        default:
            return false;
    }
}

bool fail(VCPU& cpu, const Op* op, Vector vector, u32 error_code) {
    cpu.raise(op, vector, error_code);
    return false;
}

bool read_gate(VCPU& cpu, const Op* op, const Event& event, Descriptor& gate) {
    const u32 offset = event.vector * 16u;
    if (offset + 15 > cpu.state.idtr.limit)
        return fail(cpu, op, Vector::kGP, event.gate_error());
    u64 words[2];
    if (!cpu.mmu.read_system(cpu, op, cpu.state.idtr.base + offset, words, sizeof words))
        return false;
    gate = {words[0], words[1], 0};
    const bool is_gate = gate.is_system() && (gate.type() == descriptor::kInterruptGate ||
                                              gate.type() == descriptor::kTrapGate);
    if (!is_gate || (event.check_dpl && gate.dpl() < cpu.state.cpl()))
        return fail(cpu, op, Vector::kGP, event.gate_error());
    if (!gate.present())
        return fail(cpu, op, Vector::kNP, event.gate_error());
    return true;
}

// The aligned stack on which the frame will be pushed.
bool choose_stack(VCPU& cpu, const Op* op, const Event& event, unsigned ist, unsigned new_cpl,
                  u64& rsp) {
    rsp = cpu.state.gpr[kRSP];
    if (ist != 0) {
        if (!read_tss_ist(cpu, op, ist, rsp, event.external()))
            return false;
    } else if (new_cpl != cpu.state.cpl()) {
        if (!read_tss_stack(cpu, op, new_cpl, rsp, event.external()))
            return false;
    }
    rsp &= ~u64{15};
    return true;
}

// Pushes SS, RSP, RFLAGS, CS, RIP and the error code, all or nothing; gives the new RSP.
bool push_frame(VCPU& cpu, const Op* op, const Event& event, u64& rsp) {
    const CPUState& state = cpu.state;
    const u64 frame[6] = {event.error_code,   event.return_rip, state.segments[kCS].selector,
                          event.pushed_flags, state.gpr[kRSP],  state.segments[kSS].selector};
    const unsigned first = event.has_error_code ? 0 : 1;
    const u32 size = static_cast<u32>(sizeof frame - 8 * first);
    const u64 top = rsp - size;
    if (!is_canonical(top) || !is_canonical(rsp - 1))
        return fail(cpu, op, Vector::kSS, event.external());
    if (!cpu.mmu.write_system(cpu, op, top, frame + first, size))
        return false;
    rsp = top;
    return true;
}

// One attempt: all of it, or an exit recorded and nothing but accessed bits changed.
bool enter_long_mode_handler(VCPU& cpu, const Op* op, const Event& event) {
    Descriptor gate;
    Segment code;
    u64 rsp = 0;
    if (!read_gate(cpu, op, event, gate) ||
        !check_code_segment(cpu, op, gate.gate_selector(), Transfer::kGate, code, event.external()))
        return false;
    const unsigned old_cpl = cpu.state.cpl();
    const unsigned new_cpl = code.selector & kSelectorRPL;
    if (!choose_stack(cpu, op, event, gate.gate_stack_index(), new_cpl, rsp))
        return false;
    if (!is_canonical(gate.gate_offset()))
        return fail(cpu, op, Vector::kGP, event.external());
    if (!push_frame(cpu, op, event, rsp))
        return false;

    CPUState& state = cpu.state;
    state.set_segment(kCS, code);
    if (new_cpl != old_cpl)
        state.set_segment(kSS, Segment{0, 0, static_cast<u16>(new_cpl), 0});
    state.gpr[kRSP] = rsp;
    state.rip = gate.gate_offset();
    state.system_flags &= ~(rflags::kTF | rflags::kNT | rflags::kRF | rflags::kVM);
    if (gate.type() == descriptor::kInterruptGate)
        state.system_flags &= ~rflags::kIF;
    return true;
}

bool enter_handler(VCPU& cpu, const Op* op, const Event& event) {
    CPUState& state = cpu.state;
    const bool entered = (state.efer & efer::kLMA) != 0 ? enter_long_mode_handler(cpu, op, event)
                         : (state.cr0 & cr0::kPE) != 0
                             ? enter_protected_mode_handler(cpu, op, event)
                             : enter_real_mode_handler(cpu, op, event);
    if (!entered)
        return false;
    if (event.vector == static_cast<u8>(Vector::kDB))
        state.dr7 &= ~dr7::kGD;
    state.halted = false;
    state.interrupt_shadow = false;
    cpu.mmu.update_context(cpu);
    return true;
}

// The classes of APM vol. 2, 8.2.9: which pairs of exceptions make a double fault.
bool is_contributory(u8 vector) {
    switch (static_cast<Vector>(vector)) {
        case Vector::kDE:
        case Vector::kTS:
        case Vector::kNP:
        case Vector::kSS:
        case Vector::kGP:
            return true;
        default:
            return false;
    }
}

bool makes_double_fault(const Event& first, Vector second) {
    if (first.source != Source::kException)
        return false;
    const bool second_contributes = is_contributory(static_cast<u8>(second));
    if (first.vector == static_cast<u8>(Vector::kPF))
        return second_contributes || second == Vector::kPF;
    return is_contributory(first.vector) && second_contributes;
}

Event exception(const CPUState& state, const Fault& fault) {
    // Faults push RF set, so that the restarted instruction does not hit its breakpoint again; #DB
    // leaves that to its handler (APM vol. 2, 8.2 and 3.1.6).
    const bool sets_resume = fault.vector != Vector::kDB;
    return {.vector = static_cast<u8>(fault.vector),
            .source = Source::kException,
            .check_dpl = false,
            .has_error_code = has_error_code(fault.vector),
            .error_code = fault.error_code,
            .return_rip = state.rip,
            .pushed_flags = state.rflags() | (sets_resume ? rflags::kRF : 0)};
}

Event interrupt(const CPUState& state, u8 vector) {
    return {.vector = vector,
            .source = Source::kExternal,
            .check_dpl = false,
            .has_error_code = false,
            .error_code = 0,
            .return_rip = state.rip,
            .pushed_flags = state.rflags()};
}

// Delivers the event, or what comes of it.
void deliver(VCPU& cpu, Event event) {
    // Nothing runs now, so stores to code and devices need not wait.
    const bool was_alone = std::exchange(cpu.alone, true);
    cpu.exit = Exit::kNone;
    while (!enter_handler(cpu, nullptr, event)) {
        if (cpu.exit != Exit::kFault)
            break;
        Fault next = cpu.fault;
        cpu.exit = Exit::kNone;
        if (next.vector == Vector::kPF)
            cpu.state.cr2 = next.address;
        if (event.source == Source::kException && event.vector == static_cast<u8>(Vector::kDF)) {
            cpu.leave(nullptr, Exit::kShutdown);
            break;
        }
        if (makes_double_fault(event, next.vector))
            next = Fault{Vector::kDF, 0, 0};
        event = exception(cpu.state, next);
    }
    cpu.alone = was_alone;
}

}  // namespace

void deliver_fault(VCPU& cpu) {
    if (cpu.fault.vector == Vector::kPF)
        cpu.state.cr2 = cpu.fault.address;
    deliver(cpu, exception(cpu.state, cpu.fault));
}

void deliver_interrupt(VCPU& cpu, u8 vector) {
    deliver(cpu, interrupt(cpu.state, vector));
}

void deliver_nmi(VCPU& cpu) {
    cpu.state.nmi_pending = false;
    cpu.state.nmi_masked = true;
    deliver(cpu, interrupt(cpu.state, static_cast<u8>(Vector::kNMI)));
}

void deliver_single_step(VCPU& cpu, const Op* op) {
    report_debug(cpu.state, dr6::kBS);
    cpu.fault = {Vector::kDB, 0, 0};
    deliver_fault(cpu);
    if (cpu.exit != Exit::kNone)
        cpu.leave(op, cpu.exit);
}

bool deliver_software_interrupt(VCPU& cpu, const Op* op, u8 vector, SoftwareInterrupt kind) {
    const Event event{
        .vector = vector,
        .source = kind == SoftwareInterrupt::kChecked ? Source::kSoftware : Source::kExternal,
        .check_dpl = kind == SoftwareInterrupt::kChecked,
        .has_error_code = false,
        .error_code = 0,
        .return_rip = cpu.address_after(op),
        .pushed_flags = cpu.state.rflags()};
    cpu.decided_trap = true;
    return enter_handler(cpu, op, event);
}

}  // namespace uchronia::cpu::interp
