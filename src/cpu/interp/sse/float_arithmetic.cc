// Floating-point arithmetic, dot products and rounding to integral values.
#include "cpu/interp/sse/float_forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

// All ones in element i if bit i of `bits` is set.
__m128i single_mask(unsigned bits) {
    return _mm_set_epi32(-static_cast<int>((bits >> 3) & 1), -static_cast<int>((bits >> 2) & 1),
                         -static_cast<int>((bits >> 1) & 1), -static_cast<int>(bits & 1));
}
__m128i double_mask(unsigned bits) {
    return _mm_set_epi64x(-static_cast<i64>((bits >> 1) & 1), -static_cast<i64>(bits & 1));
}

// Dot products, by the manual's own steps, so that the rounding of each and the choice among NaNs
// are ours: products of the elements chosen by the immediate's high half (0 for the others), sums
// of neighbours, the sum of these, copied to the elements chosen by the low half.
constexpr auto dot_product_singles = [](__m128i a, __m128i b, u8 immediate) {
    const __m128i chosen = single_mask(immediate >> 4u);
    const __m128i products = mulps(_mm_and_si128(a, chosen), _mm_and_si128(b, chosen));
    const __m128i sums = haddps(products, products);
    return _mm_and_si128(haddps(sums, sums), single_mask(immediate & 15u));
};
constexpr auto dot_product_doubles = [](__m128i a, __m128i b, u8 immediate) {
    const __m128i chosen = double_mask(immediate >> 4u);
    const __m128i products = mulpd(_mm_and_si128(a, chosen), _mm_and_si128(b, chosen));
    return _mm_and_si128(haddpd(products, products), double_mask(immediate & 3u));
};

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
    if (!execute_float(cpu, op, control, ignored, [&] { result = F(destination, source); }))
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

const HandlerSet ADDPS_Vps_Wps = float_form<addps>();
const HandlerSet ADDSS_Vss_Wss = single_form<addss>();
const HandlerSet ADDPD_Vpd_Wpd = float_form<addpd>();
const HandlerSet ADDSD_Vsd_Wsd = double_form<addsd>();
const HandlerSet SUBPS_Vps_Wps = float_form<subps>();
const HandlerSet SUBSS_Vss_Wss = single_form<subss>();
const HandlerSet SUBPD_Vpd_Wpd = float_form<subpd>();
const HandlerSet SUBSD_Vsd_Wsd = double_form<subsd>();
const HandlerSet MULPS_Vps_Wps = float_form<mulps>();
const HandlerSet MULSS_Vss_Wss = single_form<mulss>();
const HandlerSet MULPD_Vpd_Wpd = float_form<mulpd>();
const HandlerSet MULSD_Vsd_Wsd = double_form<mulsd>();
const HandlerSet DIVPS_Vps_Wps = float_form<divps>();
const HandlerSet DIVSS_Vss_Wss = single_form<divss>();
const HandlerSet DIVPD_Vpd_Wpd = float_form<divpd>();
const HandlerSet DIVSD_Vsd_Wsd = double_form<divsd>();
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
const HandlerSet HADDPS_Vps_Wps = float_form<haddps>();
const HandlerSet HADDPD_Vpd_Wpd = float_form<haddpd>();
const HandlerSet HSUBPS_Vps_Wps = float_form<hsubps>();
const HandlerSet HSUBPD_Vpd_Wpd = float_form<hsubpd>();
const HandlerSet ADDSUBPS_Vps_Wps = float_form<addsubps>();
const HandlerSet ADDSUBPD_Vpd_Wpd = float_form<addsubpd>();

const HandlerSet DPPS_Vps_Wps_Ib = float_form<dot_product_singles>();
const HandlerSet DPPD_Vpd_Wpd_Ib = float_form<dot_product_doubles>();

const HandlerSet ROUNDPS_Vps_Wps_Ib =
    by_form(round_register<roundps>, round_memory<roundps, Width::kAligned>);
const HandlerSet ROUNDSS_Vss_Wss_Ib =
    by_form(round_register<roundss>, round_memory<roundss, Width::kDword>);
const HandlerSet ROUNDPD_Vpd_Wpd_Ib =
    by_form(round_register<roundpd>, round_memory<roundpd, Width::kAligned>);
const HandlerSet ROUNDSD_Vsd_Wsd_Ib =
    by_form(round_register<roundsd>, round_memory<roundsd, Width::kQword>);

}  // namespace uchronia::cpu::interp::handler
