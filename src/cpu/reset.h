// What INIT and the startup interrupt make of a processor.
//
// Neither tells the MMU: the caller does, by MMU::update_context. What the local APIC keeps, and
// that the processor waits for the startup interrupt, is not in CPUState.
// Source: APM vol. 2, 14.1.3 (table 14-1), 14.1.5 and 16.5 (STARTUP).
#pragma once

#include "cpu/state.h"

namespace uchronia::cpu {

// The state after INIT. x87, vector registers, and the MSRs but EFER and the segment bases, stay as
// they are, as do CR0.CD and CR0.NW.
void reset_by_init(CPUState& state);

// The startup interrupt with this vector, to a processor that INIT has reset: execution begins in
// real mode at vector << 12.
void start_at_page(CPUState& state, u8 vector);

}  // namespace uchronia::cpu
