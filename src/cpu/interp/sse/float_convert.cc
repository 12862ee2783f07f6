// Conversions between floating-point formats and integers, in XMM, MMX and general registers.
#include "cpu/interp/sse/float_forms.h"
#include "cpu/interp/sse/general_convert.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

struct LegacyEncoding {
    static bool available(VCPU& cpu, const Op* op) { return sse_ready(cpu, op); }
    static u8 first(const Op* op) { return op->reg; }
    static void set(VCPU& cpu, const Op* op, __m128i value) { set_xmm(cpu, op->reg, value); }
};

// MMX register or memory to an XMM register. Only the register form is an MMX instruction: with a
// memory operand the x87 state stays (as AMD processors do, and Intel's for CVTPI2PD). The change
// to MMX comes before a floating-point exception.
template <auto F>
void from_mmx_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op) || !mmx_ready(cpu, op)) [[unlikely]]
        return;
    enter_mmx(cpu);
    if (!compute_float<F, never_inexact>(cpu, op, mmx_vector(cpu, op->rm))) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F>
constexpr HandlerSet from_mmx_form = by_form(from_mmx_register<F>,
                                             float_memory_form<F, Width::kQword, never_inexact>);

// XMM register or memory to an MMX register.
template <auto F>
[[gnu::always_inline]] inline bool to_mmx(VCPU& cpu, const Op* op, __m128i source) {
    enter_mmx(cpu);
    __m128i result = source;
    if (!execute_float(cpu, op, [&] { result = F(source, source); })) [[unlikely]]
        return false;
    set_mmx(cpu, op->reg, result);
    return true;
}
template <auto F>
void to_mmx_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op) || !mmx_ready(cpu, op)) [[unlikely]]
        return;
    if (!to_mmx<F>(cpu, op, xmm(cpu, op->rm))) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F, Width width>
void to_mmx_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op) || !mmx_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<width>(cpu, op);
    if (!source.ok || !to_mmx<F>(cpu, op, source.value)) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F, Width width>
constexpr HandlerSet to_mmx_form = by_form(to_mmx_register<F>, to_mmx_memory<F, width>);

// By way of the four-element conversions; the elements that do not exist are zero, and exact.
constexpr auto two_to_singles = [](__m128i a, __m128i b) {
    return merge_halves(cvtdq2ps(b, _mm_move_epi64(b)), a);
};
constexpr auto two_from_singles = [](__m128i a, __m128i b) {
    return cvtps2dq(a, _mm_move_epi64(b));
};
constexpr auto two_from_singles_truncating = [](__m128i a, __m128i b) {
    return cvttps2dq(a, _mm_move_epi64(b));
};

}  // namespace

const HandlerSet CVTPS2PD_Vpd_Wq = double_form<cvtps2pd>();
const HandlerSet CVTPD2PS_Vps_Wpd = float_form<cvtpd2ps, inexact_narrowing_packed>();
const HandlerSet CVTSS2SD_Vsd_Wss = single_form<cvtss2sd>();
const HandlerSet CVTSD2SS_Vss_Wsd = double_form<cvtsd2ss, inexact_narrowing_scalar>();
const HandlerSet CVTDQ2PS_Vps_Wdq = float_form<cvtdq2ps>();
const HandlerSet CVTDQ2PD_Vpd_Wq = double_form<cvtdq2pd>();
const HandlerSet CVTPS2DQ_Vdq_Wps = float_form<cvtps2dq>();
const HandlerSet CVTTPS2DQ_Vdq_Wps = float_form<cvttps2dq>();
const HandlerSet CVTPD2DQ_Vdq_Wpd = float_form<cvtpd2dq>();
const HandlerSet CVTTPD2DQ_Vdq_Wpd = float_form<cvttpd2dq>();

const HandlerSet CVTSI2SS_Vss_Ey = from_integer<LegacyEncoding, cvtsi2ss_32, cvtsi2ss_64>();
const HandlerSet CVTSI2SD_Vsd_Ey = from_integer<LegacyEncoding, cvtsi2sd_32, cvtsi2sd_64>();
const HandlerSet CVTSS2SI_Gy_Wss =
    to_integer<LegacyEncoding, cvtss2si_32, cvtss2si_64, Width::kDword>();
const HandlerSet CVTTSS2SI_Gy_Wss =
    to_integer<LegacyEncoding, cvttss2si_32, cvttss2si_64, Width::kDword>();
const HandlerSet CVTSD2SI_Gy_Wsd =
    to_integer<LegacyEncoding, cvtsd2si_32, cvtsd2si_64, Width::kQword>();
const HandlerSet CVTTSD2SI_Gy_Wsd =
    to_integer<LegacyEncoding, cvttsd2si_32, cvttsd2si_64, Width::kQword>();

const HandlerSet CVTPI2PS_Vps_Qq = from_mmx_form<two_to_singles>;
const HandlerSet CVTPI2PD_Vpd_Qq = from_mmx_form<cvtdq2pd>;
const HandlerSet CVTPS2PI_Pq_Wq = to_mmx_form<two_from_singles, Width::kQword>;
const HandlerSet CVTTPS2PI_Pq_Wq = to_mmx_form<two_from_singles_truncating, Width::kQword>;
const HandlerSet CVTPD2PI_Pq_Wpd = to_mmx_form<cvtpd2dq, Width::kAligned>;
const HandlerSet CVTTPD2PI_Pq_Wpd = to_mmx_form<cvttpd2dq, Width::kAligned>;

}  // namespace uchronia::cpu::interp::handler
