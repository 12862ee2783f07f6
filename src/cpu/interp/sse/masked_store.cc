#include "cpu/interp/sse/masked_store.h"

namespace uchronia::cpu::interp {

namespace sse {
namespace {

u64 masked_store_address(const VCPU& cpu, const Op* op) {
    return linear_address_at(cpu, op, cpu.state.gpr[kRDI], Access::kWrite);
}

}  // namespace

bool store_selected(VCPU& cpu, const Op* op, const u8* data, u32 mask) {
    const u64 address = masked_store_address(cpu, op);
    for (u32 rest = mask; rest != 0; rest &= rest - 1) {
        const u64 at = address + static_cast<u32>(__builtin_ctz(rest));
        if (!is_canonical(at)) {  // the MMU takes an operand outside ModRM for one of the stack
            cpu.raise(op, Vector::kGP);
            return false;
        }
        if (!check_writable(cpu, op, at, 1))
            return false;
    }
    for (u32 rest = mask; rest != 0; rest &= rest - 1) {
        const u32 index = static_cast<u32>(__builtin_ctz(rest));
        if (!write_memory(cpu, op, address + index, data[index]))
            return false;
    }
    return true;
}

}  // namespace sse

namespace handler {

using namespace sse;

namespace {

void store_xmm(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op))
        return;
    const u32 mask = static_cast<u32>(_mm_movemask_epi8(xmm(cpu, op->rm)));
    if (!store_selected(cpu, op, &xmm_element<u8>(cpu, op->reg, 0), mask))
        return;
    return next(cpu, op);
}

void store_mmx(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op))
        return;
    const u32 mask = static_cast<u32>(_mm_movemask_epi8(mmx_vector(cpu, op->rm)));
    const auto* data = reinterpret_cast<const u8*>(&cpu.state.x87.registers[op->reg & 7u].mantissa);
    if (!store_selected(cpu, op, data, mask))
        return;
    enter_mmx(cpu);
    return next(cpu, op);
}

}  // namespace

const HandlerSet MASKMOVQ_Pq_Nq = always(store_mmx);
const HandlerSet MASKMOVDQU_Vdq_Udq = always(store_xmm);

}  // namespace handler
}  // namespace uchronia::cpu::interp
