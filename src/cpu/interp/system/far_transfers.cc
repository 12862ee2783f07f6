// Far JMP, CALL, RET, IRET, SYSCALL, SYSRET and the software interrupts, executed by 64-bit code;
// and what code of compatibility mode does in the same way.
//
// All checks come before the first change. REX.W only widens what CALL pushes and RET pops, not the
// far pointer (far_pointer.h).
// Source: APM vol. 3, chapters 3 and 4 (pseudocode of each); vol. 2, 4.10 and 6.1.

#include "cpu/interp/system/far_transfers.h"
#include "cpu/interp/handlers.h"
#include "cpu/interp/loaded_flags.h"
#include "cpu/interp/system/delivery.h"
#include "cpu/interp/system/far_pointer.h"
#include "cpu/interp/system/privilege.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp {

namespace {

// RIP must be inside the segment that it will run in.
bool check_target(VCPU& cpu, const Op* op, const Segment& code, u64 rip) {
    const bool is_long = (code.attributes & Segment::kLong) != 0;
    if (is_long ? is_canonical(rip) : rip <= code.limit)
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

// Where a far JMP or CALL goes.
struct FarTarget {
    Segment code;
    u64 rip = 0;
    bool through_gate = false;
};

bool read_call_gate(VCPU& cpu, const Op* op, u16 selector, Descriptor& gate) {
    if (!read_descriptor(cpu, op, selector, DescriptorSize::k16, gate))
        return false;
    const u32 error_code = selector & ~u32{kSelectorRPL};
    const unsigned rpl = selector & kSelectorRPL;
    // The type field of the upper half must be 0, so that no selector can point into a gate.
    const bool upper_type = ((gate.high >> 40) & 0x1f) != 0;
    if (gate.type() != descriptor::kCallGate || upper_type || gate.dpl() < cpu.state.cpl() ||
        gate.dpl() < rpl) {
        cpu.raise(op, Vector::kGP, error_code);
        return false;
    }
    if (!gate.present()) {
        cpu.raise(op, Vector::kNP, error_code);
        return false;
    }
    return true;
}

bool resolve(VCPU& cpu, const Op* op, const FarPointer& pointer, Transfer through_gate,
             FarTarget& target) {
    if (is_null(pointer.selector)) {
        cpu.raise(op, Vector::kGP);
        return false;
    }
    Descriptor found;
    if (!read_descriptor(cpu, op, pointer.selector, DescriptorSize::k8, found))
        return false;
    u16 selector = pointer.selector;
    target.rip = pointer.offset;
    target.through_gate = found.is_system();
    if (target.through_gate) {
        if (!read_call_gate(cpu, op, selector, found))
            return false;
        selector = found.gate_selector();
        target.rip = found.gate_offset();
    }
    const Transfer transfer = target.through_gate ? through_gate : Transfer::kDirect;
    return check_code_segment(cpu, op, selector, transfer, target.code) &&
           check_target(cpu, op, target.code, target.rip);
}

void jump_far(VCPU& cpu, const Op* op) {
    FarPointer pointer;
    if (read_far_pointer(cpu, op, pointer))
        jump_far_to(cpu, op, pointer);
}

// Pushes CS and RIP as values of T on the present stack.
template <class T>
bool push_return_address(VCPU& cpu, const Op* op) {
    const T frame[2] = {static_cast<T>(cpu.address_after(op)),
                        static_cast<T>(cpu.state.segments[kCS].selector)};
    const u64 rsp = cpu.state.gpr[kRSP] - sizeof frame;
    if (!write_bytes(cpu, op, rsp, frame, sizeof frame))
        return false;
    cpu.state.gpr[kRSP] = rsp;
    return true;
}

// A call to an inner privilege level: the stack comes from the TSS and gets the old one pushed.
bool push_inner_frame(VCPU& cpu, const Op* op, unsigned new_cpl) {
    CPUState& state = cpu.state;
    u64 rsp = 0;
    if (!read_tss_stack(cpu, op, new_cpl, rsp))
        return false;
    const u64 frame[4] = {cpu.address_after(op), state.segments[kCS].selector, state.gpr[kRSP],
                          state.segments[kSS].selector};
    rsp -= sizeof frame;
    if (!is_canonical(rsp) || !is_canonical(rsp + sizeof frame - 1)) {
        cpu.raise(op, Vector::kSS);
        return false;
    }
    if (!cpu.mmu.write_system(cpu, op, rsp, frame, sizeof frame))
        return false;
    state.gpr[kRSP] = rsp;
    state.set_segment(kSS, Segment{0, 0, static_cast<u16>(new_cpl), 0});
    return true;
}

template <class T>
void call_far_with(VCPU& cpu, const Op* op, const FarPointer& pointer) {
    FarTarget target;
    if (!resolve(cpu, op, pointer, Transfer::kGate, target))
        return;
    const unsigned new_cpl = target.code.selector & kSelectorRPL;
    const bool pushed = new_cpl != cpu.state.cpl() ? push_inner_frame(cpu, op, new_cpl)
                        : target.through_gate      ? push_return_address<u64>(cpu, op)
                                                   : push_return_address<T>(cpu, op);
    if (!pushed)
        return;
    cpu.state.set_segment(kCS, target.code);
    cpu.state.rip = target.rip;
    cpu.mmu.update_context(cpu);
}

template <class T>
void call_far(VCPU& cpu, const Op* op) {
    FarPointer pointer;
    if (read_far_pointer(cpu, op, pointer))
        call_far_with<T>(cpu, op, pointer);
}

// Commits a return to `code`:`rip` with another stack.
void enter_outer(VCPU& cpu, const Segment& code, u64 rip, const Segment& stack, u64 rsp) {
    CPUState& state = cpu.state;
    const unsigned old_cpl = state.cpl();
    state.set_segment(kCS, code);
    state.set_segment(kSS, stack);
    state.rip = rip;
    state.gpr[kRSP] = rsp;
    if (state.cpl() > old_cpl)
        drop_inner_segments(state);
    cpu.mmu.update_context(cpu);
}

template <class T>
void return_far(VCPU& cpu, const Op* op, u16 released_bytes) {
    CPUState& state = cpu.state;
    T frame[2];
    if (!read_bytes(cpu, op, state.gpr[kRSP], frame, sizeof frame))
        return;
    Segment code;
    const u16 selector = static_cast<u16>(frame[1]);
    if (!check_code_segment(cpu, op, selector, Transfer::kReturn, code) ||
        !check_target(cpu, op, code, frame[0]))
        return;
    const u64 rsp = state.gpr[kRSP] + sizeof frame + released_bytes;
    const unsigned new_cpl = selector & kSelectorRPL;
    if (new_cpl == state.cpl()) {
        state.gpr[kRSP] = rsp;
        state.set_segment(kCS, code);
        state.rip = frame[0];
        return;
    }
    T outer[2];
    Segment stack;
    if (!read_bytes(cpu, op, rsp, outer, sizeof outer) ||
        !check_return_stack(cpu, op, static_cast<u16>(outer[1]), new_cpl,
                            (code.attributes & Segment::kLong) != 0, stack))
        return;
    enter_outer(cpu, code, frame[0], stack, outer[0] + released_bytes);
}

template <class T>
void return_far_plain(VCPU& cpu, const Op* op) {
    return_far<T>(cpu, op, 0);
}

template <class T>
void return_far_releasing(VCPU& cpu, const Op* op) {
    return_far<T>(cpu, op, static_cast<u16>(op->immediate));
}

template <class T>
void interrupt_return(VCPU& cpu, const Op* op) {
    CPUState& state = cpu.state;
    if ((state.system_flags & rflags::kNT) != 0)
        return cpu.raise(op, Vector::kGP);
    T frame[5];  // RIP, CS, RFLAGS, RSP, SS: 64-bit code always pops all of them
    if (!read_bytes(cpu, op, state.gpr[kRSP], frame, sizeof frame))
        return;
    Segment code, stack;
    const u16 selector = static_cast<u16>(frame[1]);
    if (!check_code_segment(cpu, op, selector, Transfer::kReturn, code) ||
        !check_target(cpu, op, code, frame[0]) ||
        !check_return_stack(cpu, op, static_cast<u16>(frame[4]), selector & kSelectorRPL,
                            (code.attributes & Segment::kLong) != 0, stack))
        return;
    const u64 mask = loadable_flags(state, sizeof(T));
    state.set_rflags((state.rflags() & ~mask) | (frame[2] & mask));
    state.nmi_masked = false;
    cpu.loaded_rf = true;
    enter_outer(cpu, code, frame[0], stack, frame[3]);
}

void system_call(VCPU& cpu, const Op* op) {
    return system_call_to(cpu, op, cpu.state.lstar);
}
enum class ReturnTo : u8 { k64Bit, kCompatibility };

template <ReturnTo mode>
void system_return(VCPU& cpu, const Op* op) {
    CPUState& state = cpu.state;
    if ((state.efer & efer::kSCE) == 0)
        return cpu.raise(op, Vector::kUD);
    if (!require_supervisor(cpu, op))
        return;
    const u64 base = state.star >> 48;
    constexpr bool kTo64Bit = mode == ReturnTo::k64Bit;
    const u16 selector = static_cast<u16>((kTo64Bit ? base + 16 : base) | kSelectorRPL);
    const u16 attributes = descriptor::with_dpl(
        kTo64Bit ? descriptor::kFlatCode64 : descriptor::kFlatCode32, kSelectorRPL);
    // A target that is not canonical faults at its first fetch, outside the kernel.
    state.rip = kTo64Bit ? state.gpr[kRCX] : static_cast<u32>(state.gpr[kRCX]);
    state.set_segment(kCS, Segment{0, ~u32{0}, selector, attributes});
    // The hidden part of SS stays as it is (APM vol. 3, SYSRET).
    state.segments[kSS].selector = static_cast<u16>((base + 8) | kSelectorRPL);
    constexpr u64 kLoaded = rflags::kArithmetic | rflags::kTF | rflags::kIF | rflags::kDF |
                            rflags::kIOPL | rflags::kNT | rflags::kAC | rflags::kVIF |
                            rflags::kVIP | rflags::kID;
    state.set_rflags(state.gpr[kR11] & kLoaded);
    cpu.mmu.update_context(cpu);
    // The trap of a single-stepped SYSCALL comes now, before the first instruction outside.
    cpu.decided_trap = true;
    if ((state.system_flags & rflags::kTF) != 0)
        deliver_single_step(cpu, op);
}

// The exit of a failed delivery is recorded; nothing else is left to do.
void interrupt_immediate(VCPU& cpu, const Op* op) {
    deliver_software_interrupt(cpu, op, static_cast<u8>(op->immediate),
                               SoftwareInterrupt::kChecked);
}

void interrupt_breakpoint(VCPU& cpu, const Op* op) {
    deliver_software_interrupt(cpu, op, static_cast<u8>(Vector::kBP), SoftwareInterrupt::kChecked);
}

void interrupt_debug(VCPU& cpu, const Op* op) {
    deliver_software_interrupt(cpu, op, static_cast<u8>(Vector::kDB),
                               SoftwareInterrupt::kUnchecked);
}

void undefined_in_64_bit_mode(VCPU& cpu, const Op* op) {
    cpu.raise(op, Vector::kUD);
}

constexpr HandlerSet by_operand_size(Handler h16, Handler h32, Handler h64) {
    return {h16, h32, h64, h16, h32, h64};
}

}  // namespace

void jump_far_to(VCPU& cpu, const Op* op, const FarPointer& pointer) {
    FarTarget target;
    if (!resolve(cpu, op, pointer, Transfer::kGateJump, target))
        return;
    cpu.state.set_segment(kCS, target.code);
    cpu.state.rip = target.rip;
}

void call_far_to(VCPU& cpu, const Op* op, const FarPointer& pointer) {
    return call_far_with<u64>(cpu, op, pointer);
}

void system_call_to(VCPU& cpu, const Op* op, u64 target) {
    CPUState& state = cpu.state;
    if ((state.efer & efer::kSCE) == 0)
        return cpu.raise(op, Vector::kUD);
    const u16 selector = static_cast<u16>((state.star >> 32) & ~u64{kSelectorRPL});
    const u64 flags = state.rflags() & ~rflags::kRF;
    state.gpr[kRCX] = cpu.address_after(op);
    state.gpr[kR11] = flags;
    state.set_rflags(flags & ~state.sfmask);
    state.set_segment(kCS, Segment{0, ~u32{0}, selector, descriptor::kFlatCode64});
    const u16 stack = static_cast<u16>(selector + 8);
    state.set_segment(kSS, Segment{0, ~u32{0}, stack, descriptor::kFlatData});
    state.rip = target;
    cpu.decided_trap = true;
    cpu.mmu.update_context(cpu);
}

namespace handler {
const HandlerSet JMPF_Mp = always(jump_far);
const HandlerSet CALLF_Mp = by_operand_size(call_far<u16>, call_far<u32>, call_far<u64>);
const HandlerSet RETF =
    by_operand_size(return_far_plain<u16>, return_far_plain<u32>, return_far_plain<u64>);
const HandlerSet RETF_Iw = by_operand_size(return_far_releasing<u16>, return_far_releasing<u32>,
                                           return_far_releasing<u64>);
const HandlerSet IRET =
    by_operand_size(interrupt_return<u16>, interrupt_return<u32>, interrupt_return<u64>);
const HandlerSet SYSCALL = always(system_call);
const HandlerSet SYSRET =
    by_operand_size(system_return<ReturnTo::kCompatibility>,
                    system_return<ReturnTo::kCompatibility>, system_return<ReturnTo::k64Bit>);
const HandlerSet INT_Ib = always(interrupt_immediate);
const HandlerSet INT3 = always(interrupt_breakpoint);
const HandlerSet INT1 = always(interrupt_debug);
const HandlerSet INTO = always(undefined_in_64_bit_mode);
}  // namespace handler

}  // namespace uchronia::cpu::interp
