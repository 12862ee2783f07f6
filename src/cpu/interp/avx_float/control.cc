// VZEROUPPER, VZEROALL, VLDMXCSR and VSTMXCSR.
#include "cpu/interp/sse/float_unit.h"
#include "cpu/interp/vex_operand.h"

namespace uchronia::cpu::interp::handler {

using namespace vex;

namespace {

// Outside of 64-bit mode there are eight registers, and the others keep their values.
unsigned register_count(const VCPU& cpu) {
    const bool long_code = (cpu.state.efer & efer::kLMA) != 0 &&
                           (cpu.state.segments[kCS].attributes & Segment::kLong) != 0;
    return long_code ? 16 : 8;
}

void zero_upper(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    for (unsigned i = 0; i < register_count(cpu); ++i)
        cpu.state.vectors[i].q[2] = cpu.state.vectors[i].q[3] = 0;
    return next(cpu, op);
}
void zero_all(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    for (unsigned i = 0; i < register_count(cpu); ++i)
        cpu.state.vectors[i] = {};
    return next(cpu, op);
}

void load_control(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    u32 value;
    if (!read_memory(cpu, op, linear_address(cpu, op), value)) [[unlikely]]
        return;
    if ((value & ~sse::mxcsr::kValid) != 0) [[unlikely]]
        return cpu.raise(op, Vector::kGP);
    cpu.state.mxcsr = value;
    return next(cpu, op);
}
void store_control(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    if (!write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), cpu.state.mxcsr))
        [[unlikely]]
        return;
    return next(cpu, op);
}

}  // namespace

const HandlerSet VZEROUPPER = always(zero_upper);
const HandlerSet VZEROALL = always(zero_all);
const HandlerSet VLDMXCSR_Md = always(load_control);
const HandlerSet VSTMXCSR_Md = always(store_control);

}  // namespace uchronia::cpu::interp::handler
