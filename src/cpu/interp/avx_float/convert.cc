// Conversions between floating-point formats and integers, in vector and general registers.
#include "cpu/interp/avx_float/float_forms.h"
#include "cpu/interp/sse/general_convert.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;
using namespace sse;

namespace {

__m128i upper_half(__m128i value) {
    return _mm_unpackhi_epi64(value, value);
}

// Two elements of 4 bytes become two of 8, twice; and the other way round.
template <auto F>
constexpr auto widened = [](YMM a, YMM b) {
    return YMM{F(a.low, b.low), F(a.low, upper_half(b.low))};
};
template <auto F>
constexpr auto narrowed =
    [](YMM a, YMM b) { return lower_lane(_mm_unpacklo_epi64(F(a.low, b.low), F(a.high, b.high))); };

// The low 8 bytes of the source, or 16, to a register of the given length.
template <auto F>
constexpr auto widening = []<unsigned n>(Lanes<n>) {
    if constexpr (n == 1)
        return scalar_float<F, 8>();
    else
        return wide_float<widened<F>, 16, 1>();
};
template <auto F, Inexact inexact = never_inexact>
constexpr auto narrowing = []<unsigned n>(Lanes<n>) {
    if constexpr (n == 1)
        return scalar_float<F, 16, inexact>();
    else
        return wide_float<narrowed<F>, 32, 2, inexact>();
};

struct VEXEncoding {
    static bool available(VCPU& cpu, const Op* op) { return avx_available(cpu, op); }
    static u8 first(const Op* op) { return vex_vvvv(op); }
    static void set(VCPU& cpu, const Op* op, __m128i value) {
        set_ymm(cpu, op->reg, lower_lane(value));
    }
};

}  // namespace

BOTH_LENGTHS(VCVTPS2PD_Vx_Wx, widening<cvtps2pd>);
BOTH_LENGTHS(VCVTDQ2PD_Vx_Wx, widening<cvtdq2pd>);
BOTH_LENGTHS(VCVTPD2PS_Vx_Wx, narrowing<cvtpd2ps, inexact_narrowing_packed>);
BOTH_LENGTHS(VCVTPD2DQ_Vx_Wx, narrowing<cvtpd2dq>);
BOTH_LENGTHS(VCVTTPD2DQ_Vx_Wx, narrowing<cvttpd2dq>);
BOTH_LENGTHS(VCVTDQ2PS_Vx_Wx, packed_float<cvtdq2ps>);
BOTH_LENGTHS(VCVTPS2DQ_Vx_Wx, packed_float<cvtps2dq>);
BOTH_LENGTHS(VCVTTPS2DQ_Vx_Wx, packed_float<cvttps2dq>);
const HandlerSet VCVTSS2SD_Vsd_Hsd_Wss = scalar_float<cvtss2sd, 4>();
const HandlerSet VCVTSD2SS_Vss_Hss_Wsd = scalar_float<cvtsd2ss, 8, inexact_narrowing_scalar>();

const HandlerSet VCVTSI2SS_Vss_Hss_Ey = from_integer<VEXEncoding, cvtsi2ss_32, cvtsi2ss_64>();
const HandlerSet VCVTSI2SD_Vsd_Hsd_Ey = from_integer<VEXEncoding, cvtsi2sd_32, cvtsi2sd_64>();
const HandlerSet VCVTSS2SI_Gy_Wss =
    to_integer<VEXEncoding, cvtss2si_32, cvtss2si_64, Width::kDword>();
const HandlerSet VCVTTSS2SI_Gy_Wss =
    to_integer<VEXEncoding, cvttss2si_32, cvttss2si_64, Width::kDword>();
const HandlerSet VCVTSD2SI_Gy_Wsd =
    to_integer<VEXEncoding, cvtsd2si_32, cvtsd2si_64, Width::kQword>();
const HandlerSet VCVTTSD2SI_Gy_Wsd =
    to_integer<VEXEncoding, cvttsd2si_32, cvttsd2si_64, Width::kQword>();

}  // namespace uchronia::cpu::interp::handler
