#include "cpu/interp/sse/float_unit.h"

namespace uchronia::cpu::interp::sse {

bool raise_float_exception(VCPU& cpu, const Op* op, u32 flags) {
    const u32 unmasked = ~(cpu.state.mxcsr >> mxcsr::kMaskShift) & mxcsr::kFlags;
    // Exceptions that are found before the computation keep it from happening at all, in all
    // elements (APM vol. 1, 4.10.2).
    if ((flags & unmasked & mxcsr::kPreComputation) != 0)
        flags &= mxcsr::kPreComputation;
    cpu.state.mxcsr |= flags;
    const bool enabled = (cpu.state.cr4 & cr4::kOSXMMEXCPT) != 0;
    cpu.raise(op, enabled ? Vector::kXF : Vector::kUD);
    return false;
}

}  // namespace uchronia::cpu::interp::sse
