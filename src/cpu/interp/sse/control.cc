// LDMXCSR and STMXCSR.
#include "cpu/interp/sse/float_unit.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

void load_control(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    u32 value;
    if (!read_memory(cpu, op, linear_address(cpu, op), value)) [[unlikely]]
        return;
    if ((value & ~mxcsr::kValid) != 0) [[unlikely]]
        return cpu.raise(op, Vector::kGP);
    cpu.state.mxcsr = value;
    return next(cpu, op);
}

void store_control(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    if (!write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), cpu.state.mxcsr))
        [[unlikely]]
        return;
    return next(cpu, op);
}

}  // namespace

const HandlerSet LDMXCSR_Md = always(load_control);
const HandlerSet STMXCSR_Md = always(store_control);

}  // namespace uchronia::cpu::interp::handler
