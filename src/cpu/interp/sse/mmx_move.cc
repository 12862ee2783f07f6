// Moves of MMX registers, and EMMS. (MMX arithmetic stands beside its XMM twin.)
#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

template <class T>
void from_general(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    set_mmx(cpu, op->reg, u64{register_at<T>(cpu, op->rm)});
    return next(cpu, op);
}
template <class T>
void to_general(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    enter_mmx(cpu);
    set_register(cpu, op->rm, static_cast<T>(mmx(cpu, op->reg)));
    return next(cpu, op);
}

template <class T>
void store_form(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    const T value = static_cast<T>(mmx(cpu, op->reg));
    if (!write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), value)) [[unlikely]]
        return;
    enter_mmx(cpu);
    return next(cpu, op);
}

void to_register(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    set_mmx(cpu, op->rm, mmx(cpu, op->reg));
    return next(cpu, op);
}

void mmx_to_xmm(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op) || !mmx_ready(cpu, op)) [[unlikely]]
        return;
    enter_mmx(cpu);
    set_xmm(cpu, op->reg, mmx_vector(cpu, op->rm));
    return next(cpu, op);
}
void xmm_to_mmx(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op) || !mmx_ready(cpu, op)) [[unlikely]]
        return;
    set_mmx(cpu, op->reg, xmm(cpu, op->rm));
    return next(cpu, op);
}

void empty_mmx(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    enter_mmx(cpu);
    cpu.state.x87.empty = 0xff;
    return next(cpu, op);
}

}  // namespace

const HandlerSet MOVD_Pq_Ey =
    by_width(from_general<u32>, from_general<u64>, mmx_memory_form<second, Width::kDword>,
             mmx_memory_form<second, Width::kQword>);
const HandlerSet MOVD_Ey_Pq =
    by_width(to_general<u32>, to_general<u64>, store_form<u32>, store_form<u64>);
const HandlerSet MOVQ_Pq_Qq = pq_qq<second>();
const HandlerSet MOVQ_Qq_Pq = by_form(to_register, store_form<u64>);
const HandlerSet MOVNTQ_Mq_Pq = always(store_form<u64>);
const HandlerSet MOVQ2DQ_Vdq_Nq = always(mmx_to_xmm);
const HandlerSet MOVDQ2Q_Pq_Uq = always(xmm_to_mmx);
const HandlerSet EMMS = always(empty_mmx);

}  // namespace uchronia::cpu::interp::handler
