// The far transfers of long mode that 64-bit code and code of compatibility mode share.
#pragma once

#include "cpu/interp/system/far_pointer.h"

namespace uchronia::cpu::interp {

// JMP and CALL to a far pointer; a CALL through a gate pushes 64-bit values, as every one does in
// long mode, and so does one that finds a code segment.
void jump_far_to(VCPU& cpu, const Op* op, const FarPointer& pointer);
void call_far_to(VCPU& cpu, const Op* op, const FarPointer& pointer);

// SYSCALL: `target` is LSTAR from 64-bit code and CSTAR from compatibility mode.
void system_call_to(VCPU& cpu, const Op* op, u64 target);

}  // namespace uchronia::cpu::interp
