// Conversions between floating-point formats and integers, in vector and general registers.
#include "cpu/interp/avx_float/float_forms.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;
using namespace sse;

namespace {

__m128i upper_half(__m128i value) {
    return _mm_unpackhi_epi64(value, value);
}

// Two elements of 4 bytes become two of 8, twice; and the other way round.
template <auto F>
constexpr auto widened = [](Wide a, Wide b) {
    return Wide{F(a.low, b.low), F(a.low, upper_half(b.low))};
};
template <auto F>
constexpr auto narrowed = [](Wide a, Wide b) {
    return lower_lane(_mm_unpacklo_epi64(F(a.low, b.low), F(a.high, b.high)));
};

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

// General register or memory to a scalar; the rest comes from VEX.vvvv.
template <auto F, class T>
[[gnu::always_inline]] inline bool from_integer(VCPU& cpu, const Op* op, T value) {
    const __m128i a = wide(cpu, vex_vvvv(op)).low;
    __m128i result = a;
    if (!execute_float(cpu, op, [&] { result = F(a, value); })) [[unlikely]]
        return false;
    set_wide(cpu, op->reg, lower_lane(result));
    return true;
}
template <auto F, class T>
void from_integer_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op) || !from_integer<F, T>(cpu, op, register_at<T>(cpu, op->rm)))
        [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F, class T>
void from_integer_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    T value;
    if (!read_memory(cpu, op, linear_address(cpu, op), value)) [[unlikely]]
        return;
    if (!from_integer<F, T>(cpu, op, value)) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F32, auto F64>
constexpr HandlerSet from_integer_form = by_width(from_integer_register<F32, u32>,
                                                  from_integer_register<F64, u64>,
                                                  from_integer_memory<F32, u32>,
                                                  from_integer_memory<F64, u64>);

// Scalar to a general register.
template <auto F, class T>
[[gnu::always_inline]] inline bool to_integer(VCPU& cpu, const Op* op, __m128i source) {
    T result = 0;
    if (!execute_float(cpu, op, [&] { result = F(source); })) [[unlikely]]
        return false;
    set_register(cpu, op->reg, result);
    return true;
}
template <auto F, class T>
void to_integer_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op) || !to_integer<F, T>(cpu, op, wide(cpu, op->rm).low)) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F, class T, unsigned size>
void to_integer_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedWide source = load_wide<size>(cpu, op);
    if (!source.ok || !to_integer<F, T>(cpu, op, source.value.low)) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F32, auto F64, unsigned size>
constexpr HandlerSet to_integer_form = by_width(to_integer_register<F32, u32>,
                                                to_integer_register<F64, u64>,
                                                to_integer_memory<F32, u32, size>,
                                                to_integer_memory<F64, u64, size>);

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

const HandlerSet VCVTSI2SS_Vss_Hss_Ey = from_integer_form<cvtsi2ss_32, cvtsi2ss_64>;
const HandlerSet VCVTSI2SD_Vsd_Hsd_Ey = from_integer_form<cvtsi2sd_32, cvtsi2sd_64>;
const HandlerSet VCVTSS2SI_Gy_Wss = to_integer_form<cvtss2si_32, cvtss2si_64, 4>;
const HandlerSet VCVTTSS2SI_Gy_Wss = to_integer_form<cvttss2si_32, cvttss2si_64, 4>;
const HandlerSet VCVTSD2SI_Gy_Wsd = to_integer_form<cvtsd2si_32, cvtsd2si_64, 8>;
const HandlerSet VCVTTSD2SI_Gy_Wsd = to_integer_form<cvttsd2si_32, cvttsd2si_64, 8>;

}  // namespace uchronia::cpu::interp::handler
