// Floating-point arithmetic and rounding to integral values.
#include "cpu/interp/sse/float_forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

// ROUNDxx: the immediate's bit 2 takes the rounding from MXCSR, else bits 0-1 give it; bit 3 keeps
// inexact results quiet.
template <auto F>
bool round_to_integral(VCPU& cpu, const Op* op, __m128i source) {
    const u32 immediate = static_cast<u8>(op->immediate);
    u32 control = cpu.state.mxcsr;
    if ((immediate & 4) == 0)
        control = (control & ~mxcsr::kRounding) | ((immediate & 3) << mxcsr::kRoundingShift);
    const u32 ignored = (immediate & 8) != 0 ? mxcsr::kPE : 0;
    const __m128i destination = xmm(cpu, op->reg);
    __m128i result = destination;
    if (!execute_float(
            cpu, op, {control, ignored}, [&] { result = F(destination, source); },
            [] { return false; }))
        return false;
    set_xmm(cpu, op->reg, result);
    return true;
}
template <auto F>
void round_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op) || !round_to_integral<F>(cpu, op, xmm(cpu, op->rm))) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F, Width width>
void round_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<width>(cpu, op);
    if (!source.ok || !round_to_integral<F>(cpu, op, source.value)) [[unlikely]]
        return;
    return next(cpu, op);
}

}  // namespace

const HandlerSet ADDPS_Vps_Wps = float_form<addps, singles<Step::kAdd, Pairing::kPacked>>();
const HandlerSet ADDSS_Vss_Wss = single_form<addss, singles<Step::kAdd, Pairing::kScalar>>();
const HandlerSet ADDPD_Vpd_Wpd = float_form<addpd, doubles<Step::kAdd, Pairing::kPacked>>();
const HandlerSet ADDSD_Vsd_Wsd = double_form<addsd, doubles<Step::kAdd, Pairing::kScalar>>();
const HandlerSet SUBPS_Vps_Wps = float_form<subps, singles<Step::kSubtract, Pairing::kPacked>>();
const HandlerSet SUBSS_Vss_Wss = single_form<subss, singles<Step::kSubtract, Pairing::kScalar>>();
const HandlerSet SUBPD_Vpd_Wpd = float_form<subpd, doubles<Step::kSubtract, Pairing::kPacked>>();
const HandlerSet SUBSD_Vsd_Wsd = double_form<subsd, doubles<Step::kSubtract, Pairing::kScalar>>();
const HandlerSet MULPS_Vps_Wps = float_form<mulps, singles<Step::kMultiply, Pairing::kPacked>>();
const HandlerSet MULSS_Vss_Wss = single_form<mulss, singles<Step::kMultiply, Pairing::kScalar>>();
const HandlerSet MULPD_Vpd_Wpd = float_form<mulpd, doubles<Step::kMultiply, Pairing::kPacked>>();
const HandlerSet MULSD_Vsd_Wsd = double_form<mulsd, doubles<Step::kMultiply, Pairing::kScalar>>();
const HandlerSet DIVPS_Vps_Wps = float_form<divps, singles<Step::kDivide, Pairing::kPacked>>();
const HandlerSet DIVSS_Vss_Wss = single_form<divss, singles<Step::kDivide, Pairing::kScalar>>();
const HandlerSet DIVPD_Vpd_Wpd = float_form<divpd, doubles<Step::kDivide, Pairing::kPacked>>();
const HandlerSet DIVSD_Vsd_Wsd = double_form<divsd, doubles<Step::kDivide, Pairing::kScalar>>();
const HandlerSet HADDPS_Vps_Wps = float_form<haddps, singles<Step::kAdd, Pairing::kHorizontal>>();
const HandlerSet HADDPD_Vpd_Wpd = float_form<haddpd, doubles<Step::kAdd, Pairing::kHorizontal>>();
const HandlerSet HSUBPS_Vps_Wps =
    float_form<hsubps, singles<Step::kSubtract, Pairing::kHorizontal>>();
const HandlerSet HSUBPD_Vpd_Wpd =
    float_form<hsubpd, doubles<Step::kSubtract, Pairing::kHorizontal>>();
const HandlerSet ADDSUBPS_Vps_Wps =
    float_form<addsubps, singles<Step::kAdd, Pairing::kAlternating>>();
const HandlerSet ADDSUBPD_Vpd_Wpd =
    float_form<addsubpd, doubles<Step::kAdd, Pairing::kAlternating>>();
const HandlerSet MINPS_Vps_Wps = float_form<minps>();
const HandlerSet MINSS_Vss_Wss = single_form<minss>();
const HandlerSet MINPD_Vpd_Wpd = float_form<minpd>();
const HandlerSet MINSD_Vsd_Wsd = double_form<minsd>();
const HandlerSet MAXPS_Vps_Wps = float_form<maxps>();
const HandlerSet MAXSS_Vss_Wss = single_form<maxss>();
const HandlerSet MAXPD_Vpd_Wpd = float_form<maxpd>();
const HandlerSet MAXSD_Vsd_Wsd = double_form<maxsd>();
const HandlerSet SQRTPS_Vps_Wps = float_form<sqrtps>();
const HandlerSet SQRTSS_Vss_Wss = single_form<sqrtss>();
const HandlerSet SQRTPD_Vpd_Wpd = float_form<sqrtpd>();
const HandlerSet SQRTSD_Vsd_Wsd = double_form<sqrtsd>();

const HandlerSet ROUNDPS_Vps_Wps_Ib =
    by_form(round_register<roundps>, round_memory<roundps, Width::kAligned>);
const HandlerSet ROUNDSS_Vss_Wss_Ib =
    by_form(round_register<roundss>, round_memory<roundss, Width::kDword>);
const HandlerSet ROUNDPD_Vpd_Wpd_Ib =
    by_form(round_register<roundpd>, round_memory<roundpd, Width::kAligned>);
const HandlerSet ROUNDSD_Vsd_Wsd_Ib =
    by_form(round_register<roundsd>, round_memory<roundsd, Width::kQword>);

}  // namespace uchronia::cpu::interp::handler
