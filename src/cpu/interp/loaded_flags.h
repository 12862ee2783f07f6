// Which bits of RFLAGS the present privilege lets IRET and POPF load.
// Source: APM vol. 3, IRET and POPF.
#pragma once

#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

// The RFLAGS bits that IRET may load at this privilege and operand size.
inline u64 loadable_flags(const CPUState& state, u32 operand_bytes) {
    u64 mask = rflags::kArithmetic | rflags::kTF | rflags::kDF | rflags::kNT;
    if (operand_bytes > 2)
        mask |= rflags::kRF | rflags::kAC | rflags::kID;
    if (state.cpl() <= ((state.system_flags & rflags::kIOPL) >> 12))
        mask |= rflags::kIF;
    if (state.cpl() == 0)
        mask |= rflags::kIOPL | (operand_bytes > 2 ? rflags::kVIF | rflags::kVIP : 0);
    return mask;
}

// The bits that POPF takes from the stack at this privilege level (APM vol. 3, POPF).
template <class T>
u64 writable_flags(const VCPU& cpu) {
    using namespace rflags;
    const unsigned cpl = cpu.state.cpl();
    u64 mask = kArithmetic | kTF | kDF | kNT | kAC | kID;
    if (cpl == 0)
        mask |= kIOPL;
    if (cpl <= ((cpu.state.system_flags & kIOPL) >> 12))
        mask |= kIF;
    return mask & static_cast<T>(~T{0});
}

// Ends the block: single-stepping, interrupts and alignment checks may begin here. RF is cleared,
// but by the 16-bit form; VM, VIF and VIP stay.
template <class T>
void load_flags(VCPU& cpu, u64 value) {
    CPUState& state = cpu.state;
    const u64 old = state.rflags();
    const u64 mask = writable_flags<T>(cpu);
    const u64 kept = sizeof(T) == 2 ? old : old & ~rflags::kRF;
    state.set_rflags((kept & ~mask) | (value & mask));
    const u64 changed = old ^ state.rflags();
    if ((changed & rflags::kAC) != 0)
        cpu.mmu.update_context(cpu);
    if ((changed & state.system_flags & rflags::kIF) != 0)
        cpu.attention = true;
}

}  // namespace uchronia::cpu::interp
