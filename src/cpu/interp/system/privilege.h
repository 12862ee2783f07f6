// Small things that all system instructions share: the privilege check and the normal end.
#pragma once

#include "cpu/access.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

// The instruction retires: execution goes on after it. For rows that end a block.
inline void finish(VCPU& cpu, const Op* op) {
    cpu.state.rip = cpu.address_after(op);
}

// True in protected mode; else #UD is recorded.
inline bool require_protected_mode(VCPU& cpu, const Op* op) {
    if ((cpu.state.cr0 & cr0::kPE) != 0) [[likely]]
        return true;
    cpu.raise(op, Vector::kUD);
    return false;
}

// True at CPL 0; else #GP(0) is recorded.
inline bool require_supervisor(VCPU& cpu, const Op* op) {
    if (cpu.state.cpl() == 0) [[likely]]
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

// The time stamp counter that the guest sees at the executing instruction.
inline u64 time_stamp(VCPU& cpu) {
    return cpu.platform.time_stamp(cpu.index) + cpu.state.tsc_offset;
}

}  // namespace uchronia::cpu::interp
