// SYSCALL, SYSRET, SYSENTER and SYSEXIT outside 64-bit mode, and the instructions that are
// undefined there.
//
// In compatibility mode, SYSCALL and SYSRET are those of long mode, and the other two are undefined
// (on AMD processors).
// Source: APM vol. 3, the pages of each.
#include "cpu/interp/legacy/forms.h"
#include "cpu/interp/legacy/rows.h"
#include "cpu/interp/system/far_transfers.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp::legacy {
namespace {

void undefined(VCPU& cpu, const Op* op) {
    cpu.raise(op, Vector::kUD);
}

bool is_long_mode(const CPUState& state) {
    return (state.efer & efer::kLMA) != 0;
}

// Flat segments, SS by its selector.
void set_flat_segments(CPUState& state, u16 code, u16 stack, unsigned dpl) {
    const auto selector = [dpl](u16 value) {
        return static_cast<u16>((value & ~kSelectorRPL) | dpl);
    };
    state.set_segment(
        kCS, {0, ~u32{0}, selector(code), descriptor::with_dpl(descriptor::kFlatCode32, dpl)});
    state.set_segment(
        kSS, {0, ~u32{0}, selector(stack), descriptor::with_dpl(descriptor::kFlatData, dpl)});
}

void enter_supervisor(VCPU& cpu, u16 code, u64 rip) {
    set_flat_segments(cpu.state, code, static_cast<u16>(code + 8), 0);
    cpu.state.rip = static_cast<u32>(rip);
    cpu.state.system_flags &= ~(rflags::kIF | rflags::kRF | rflags::kVM);
    cpu.mmu.update_context(cpu);
}

void enter_user(VCPU& cpu, u16 code, u16 stack, u64 rip) {
    set_flat_segments(cpu.state, code, stack, kSelectorRPL);
    cpu.state.rip = static_cast<u32>(rip);
    cpu.mmu.update_context(cpu);
}

bool may_call(VCPU& cpu, const Op* op) {
    if ((cpu.state.efer & efer::kSCE) == 0)
        cpu.raise(op, Vector::kUD);
    else if ((cpu.state.cr0 & cr0::kPE) == 0)
        cpu.raise(op, Vector::kGP);
    else
        return true;
    return false;
}

void system_call(VCPU& cpu, const Op* op) {
    CPUState& state = cpu.state;
    if (is_long_mode(state))
        return system_call_to(cpu, op, state.cstar);
    if (!may_call(cpu, op))
        return;
    state.gpr[kRCX] = cpu.address_after(op);
    cpu.decided_trap = true;
    enter_supervisor(cpu, static_cast<u16>(state.star >> 32), state.star);
}

void system_return(VCPU& cpu, const Op* op) {
    CPUState& state = cpu.state;
    if (is_long_mode(state))
        return handler::SYSRET.reg32(cpu, op);
    if (!may_call(cpu, op) || !require_supervisor(cpu, op))
        return;
    const u16 code = static_cast<u16>(state.star >> 48);
    state.system_flags |= rflags::kIF;
    enter_user(cpu, code, static_cast<u16>(code + 8), state.gpr[kRCX]);
}

bool may_enter(VCPU& cpu, const Op* op) {
    if (is_long_mode(cpu.state))
        cpu.raise(op, Vector::kUD);
    else if ((cpu.state.cr0 & cr0::kPE) == 0 || is_null(static_cast<u16>(cpu.state.sysenter_cs)))
        cpu.raise(op, Vector::kGP);
    else
        return true;
    return false;
}

void system_enter(VCPU& cpu, const Op* op) {
    CPUState& state = cpu.state;
    if (!may_enter(cpu, op))
        return;
    state.gpr[kRSP] = static_cast<u32>(state.sysenter_esp);
    cpu.decided_trap = true;
    enter_supervisor(cpu, static_cast<u16>(state.sysenter_cs), state.sysenter_eip);
}

void system_exit(VCPU& cpu, const Op* op) {
    CPUState& state = cpu.state;
    if (!may_enter(cpu, op) || !require_supervisor(cpu, op))
        return;
    const u16 base = static_cast<u16>(state.sysenter_cs);
    state.gpr[kRSP] = static_cast<u32>(state.gpr[kRCX]);
    enter_user(cpu, static_cast<u16>(base + 16), static_cast<u16>(base + 24), state.gpr[kRDX]);
}

}  // namespace

constexpr HandlerSet SYSCALL = always(system_call);
constexpr HandlerSet SYSRET = always(system_return);
constexpr HandlerSet SWAPGS = always(undefined);
constexpr HandlerSet RDFSBASE_Ry = always(undefined);
constexpr HandlerSet RDGSBASE_Ry = always(undefined);
constexpr HandlerSet WRFSBASE_Ry = always(undefined);
constexpr HandlerSet WRGSBASE_Ry = always(undefined);

}  // namespace uchronia::cpu::interp::legacy

namespace uchronia::cpu::interp::handler {

using namespace interp::legacy;

constexpr HandlerSet SYSENTER = always(system_enter);
constexpr HandlerSet SYSEXIT = always(system_exit);

}  // namespace uchronia::cpu::interp::handler
