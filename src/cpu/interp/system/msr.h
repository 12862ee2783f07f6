// Model-specific registers that belong to the CPU proper; all others are the platform's.
//
// Three kinds: those with state, those that are constants of the model (a write of the same value
// is allowed, any other is #GP(0)), and the platform's (local APIC, paravirtual clock).
//
// Source: APM vol. 2, appendix A; for the constants the PPR of family 19h, model 01h.
#pragma once

#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

// False: #GP(0) (nothing is recorded in the VCPU, nothing has changed).
bool read_msr(VCPU& cpu, u32 index, u64& value);
bool write_msr(VCPU& cpu, u32 index, u64 value);

}  // namespace uchronia::cpu::interp
