// Delivery of exceptions and interrupts: from a vector to the first instruction of its handler.
//
// On success the new state is complete (registers, frame, CPL, context of the MMU) and cpu.exit is
// kNone. A fault during a delivery gives a double fault or is delivered in its place, as APM vol.
// 2, 8.2.9 says; a fault during the delivery of a double fault leaves Exit::kShutdown, and a task
// gate Exit::kUnimplemented. Deliveries
// end HLT and the interrupt shadow, and are no ticks.
//
// Source: APM vol. 2, 8.9 (long-mode interrupt control transfers); legacy_delivery.h for the
// others.
#pragma once

#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

// Delivers cpu.fault, with state.rip at the faulting instruction (for traps: after it).
void deliver_fault(VCPU& cpu);

// Delivers an external interrupt before the instruction at state.rip.
void deliver_interrupt(VCPU& cpu, u8 vector);

// Delivers an NMI; NMIs stay masked until the next IRET.
void deliver_nmi(VCPU& cpu);

// For the handler of `op`, with state.rip after it: the single-step trap that follows at once.
void deliver_single_step(VCPU& cpu, const Op* op);

enum class SoftwareInterrupt : u8 {
    kChecked,    // INT n, INT3, INTO: the gate's DPL is checked
    kUnchecked,  // INT1
};
// For the handler of `op`. Returns false with a fault of `op` (or kAlone) recorded, not delivered.
bool deliver_software_interrupt(VCPU& cpu, const Op* op, u8 vector, SoftwareInterrupt kind);

}  // namespace uchronia::cpu::interp
