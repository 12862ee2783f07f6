// Blends: elements of the source where a mask bit is set, else of the destination. The mask is in
// an immediate, or in the sign bits of XMM0.
#include "cpu/interp/sse/blend_operations.h"
#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

template <auto F>
void blend_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    set_xmm(cpu, op->reg, F(xmm(cpu, op->reg), xmm(cpu, op->rm), xmm(cpu, 0)));
    return next(cpu, op);
}
template <auto F>
void blend_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<Width::kAligned>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    set_xmm(cpu, op->reg, F(xmm(cpu, op->reg), source.value, xmm(cpu, 0)));
    return next(cpu, op);
}

}  // namespace

const HandlerSet PBLENDVB_Vdq_Wdq_XMM0 =
    by_form(blend_register<blend_bytes>, blend_memory<blend_bytes>);
const HandlerSet BLENDVPS_Vps_Wps_XMM0 =
    by_form(blend_register<blend_singles>, blend_memory<blend_singles>);
const HandlerSet BLENDVPD_Vpd_Wpd_XMM0 =
    by_form(blend_register<blend_doubles>, blend_memory<blend_doubles>);
const HandlerSet PBLENDW_Vdq_Wdq_Ib = vx_wx<choose_words>();
const HandlerSet BLENDPS_Vps_Wps_Ib = vx_wx<choose_dwords>();
const HandlerSet BLENDPD_Vpd_Wpd_Ib = vx_wx<choose_qwords>();

}  // namespace uchronia::cpu::interp::handler
