// Floating-point comparison: to masks (CMPccPS and relatives) and to RFLAGS (COMISS and relatives).
#include "cpu/interp/sse/float_forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

template <auto F>
[[gnu::always_inline]] inline bool order(VCPU& cpu, const Op* op, __m128i source) {
    const __m128i destination = xmm(cpu, op->reg);
    u16 flags = 0;
    if (!execute_float(cpu, op, [&] { flags = F(destination, source); })) [[unlikely]]
        return false;
    cpu.state.flags = {flags};
    return true;
}
template <auto F>
void order_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op) || !order<F>(cpu, op, xmm(cpu, op->rm))) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F, Width width>
void order_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<width>(cpu, op);
    if (!source.ok || !order<F>(cpu, op, source.value)) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F, Width width>
constexpr HandlerSet order_form = by_form(order_register<F>, order_memory<F, width>);

}  // namespace

const HandlerSet CMPPS_Vps_Wps_Ib = float_form<cmpps>();
const HandlerSet CMPSS_Vss_Wss_Ib = single_form<cmpss>();
const HandlerSet CMPPD_Vpd_Wpd_Ib = float_form<cmppd>();
const HandlerSet CMPSD_Vsd_Wsd_Ib = double_form<cmpsd>();
const HandlerSet COMISS_Vss_Wss = order_form<comiss, Width::kDword>;
const HandlerSet COMISD_Vsd_Wsd = order_form<comisd, Width::kQword>;
const HandlerSet UCOMISS_Vss_Wss = order_form<ucomiss, Width::kDword>;
const HandlerSet UCOMISD_Vsd_Wsd = order_form<ucomisd, Width::kQword>;

}  // namespace uchronia::cpu::interp::handler
