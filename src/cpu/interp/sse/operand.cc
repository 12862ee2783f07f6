#include "cpu/interp/sse/operand.h"

namespace uchronia::cpu::interp::sse {

bool refuse_sse(VCPU& cpu, const Op* op) {
    const bool enabled = (cpu.state.cr0 & cr0::kEM) == 0 && (cpu.state.cr4 & cr4::kOSFXSR) != 0;
    cpu.raise(op, enabled ? Vector::kNM : Vector::kUD);
    return false;
}

bool refuse_mmx(VCPU& cpu, const Op* op) {
    if ((cpu.state.cr0 & cr0::kEM) != 0)
        cpu.raise(op, Vector::kUD);
    else
        cpu.raise(op, (cpu.state.cr0 & cr0::kTS) != 0 ? Vector::kNM : Vector::kMF);
    return false;
}

}  // namespace uchronia::cpu::interp::sse
