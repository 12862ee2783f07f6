// Floating-point arithmetic, rounding to integral values, logic, approximations.
#include "cpu/interp/avx_float/float_forms.h"
#include "cpu/interp/sse/approximate.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;
using namespace sse;

namespace {

constexpr auto and_bits = [](__m128i a, __m128i b) { return _mm_and_si128(a, b); };
constexpr auto and_not_bits = [](__m128i a, __m128i b) { return _mm_andnot_si128(a, b); };
constexpr auto or_bits = [](__m128i a, __m128i b) { return _mm_or_si128(a, b); };
constexpr auto xor_bits = [](__m128i a, __m128i b) { return _mm_xor_si128(a, b); };

// The immediate's bit 2 takes the rounding from MXCSR, else bits 0-1 give it; bit 3 keeps inexact
// results quiet.
FloatMode rounding_mode(u32 control, const Op* op) {
    const u32 immediate = vex_immediate(op);
    if ((immediate & 4) == 0)
        control = (control & ~mxcsr::kRounding) | ((immediate & 3) << mxcsr::kRoundingShift);
    return {control, (immediate & 8) != 0 ? mxcsr::kPE : 0};
}

template <auto F>
constexpr auto approximated = [](__m128i b) {
    auto elements = std::bit_cast<std::array<u32, 4>>(b);
    for (u32& element : elements)
        element = F(element);
    return std::bit_cast<__m128i>(elements);
};
template <auto F>
constexpr auto approximated_scalar = [](__m128i a, __m128i b) {
    auto elements = std::bit_cast<std::array<u32, 4>>(a);
    elements[0] = F(static_cast<u32>(low_half(b)));
    return std::bit_cast<__m128i>(elements);
};

template <auto F>
constexpr auto rounded = packed_float<F, never_inexact, rounding_mode>;

}  // namespace

BOTH_LENGTHS(VADDPS_Vx_Hx_Wx, packed_float<addps, singles<Step::kAdd, Pairing::kPacked>>);
BOTH_LENGTHS(VADDPD_Vx_Hx_Wx, packed_float<addpd, doubles<Step::kAdd, Pairing::kPacked>>);
BOTH_LENGTHS(VSUBPS_Vx_Hx_Wx, packed_float<subps, singles<Step::kSubtract, Pairing::kPacked>>);
BOTH_LENGTHS(VSUBPD_Vx_Hx_Wx, packed_float<subpd, doubles<Step::kSubtract, Pairing::kPacked>>);
BOTH_LENGTHS(VMULPS_Vx_Hx_Wx, packed_float<mulps, singles<Step::kMultiply, Pairing::kPacked>>);
BOTH_LENGTHS(VMULPD_Vx_Hx_Wx, packed_float<mulpd, doubles<Step::kMultiply, Pairing::kPacked>>);
BOTH_LENGTHS(VDIVPS_Vx_Hx_Wx, packed_float<divps, singles<Step::kDivide, Pairing::kPacked>>);
BOTH_LENGTHS(VDIVPD_Vx_Hx_Wx, packed_float<divpd, doubles<Step::kDivide, Pairing::kPacked>>);
BOTH_LENGTHS(VHADDPS_Vx_Hx_Wx, packed_float<haddps, singles<Step::kAdd, Pairing::kHorizontal>>);
BOTH_LENGTHS(VHADDPD_Vx_Hx_Wx, packed_float<haddpd, doubles<Step::kAdd, Pairing::kHorizontal>>);
BOTH_LENGTHS(VHSUBPS_Vx_Hx_Wx,
             packed_float<hsubps, singles<Step::kSubtract, Pairing::kHorizontal>>);
BOTH_LENGTHS(VHSUBPD_Vx_Hx_Wx,
             packed_float<hsubpd, doubles<Step::kSubtract, Pairing::kHorizontal>>);
BOTH_LENGTHS(VADDSUBPS_Vx_Hx_Wx,
             packed_float<addsubps, singles<Step::kAdd, Pairing::kAlternating>>);
BOTH_LENGTHS(VADDSUBPD_Vx_Hx_Wx,
             packed_float<addsubpd, doubles<Step::kAdd, Pairing::kAlternating>>);
BOTH_LENGTHS(VMINPS_Vx_Hx_Wx, packed_float<minps>);
BOTH_LENGTHS(VMINPD_Vx_Hx_Wx, packed_float<minpd>);
BOTH_LENGTHS(VMAXPS_Vx_Hx_Wx, packed_float<maxps>);
BOTH_LENGTHS(VMAXPD_Vx_Hx_Wx, packed_float<maxpd>);
BOTH_LENGTHS(VSQRTPS_Vx_Wx, packed_float<sqrtps>);
BOTH_LENGTHS(VSQRTPD_Vx_Wx, packed_float<sqrtpd>);

const HandlerSet VADDSS_Vss_Hss_Wss =
    scalar_float<addss, 4, singles<Step::kAdd, Pairing::kScalar>>();
const HandlerSet VADDSD_Vsd_Hsd_Wsd =
    scalar_float<addsd, 8, doubles<Step::kAdd, Pairing::kScalar>>();
const HandlerSet VSUBSS_Vss_Hss_Wss =
    scalar_float<subss, 4, singles<Step::kSubtract, Pairing::kScalar>>();
const HandlerSet VSUBSD_Vsd_Hsd_Wsd =
    scalar_float<subsd, 8, doubles<Step::kSubtract, Pairing::kScalar>>();
const HandlerSet VMULSS_Vss_Hss_Wss =
    scalar_float<mulss, 4, singles<Step::kMultiply, Pairing::kScalar>>();
const HandlerSet VMULSD_Vsd_Hsd_Wsd =
    scalar_float<mulsd, 8, doubles<Step::kMultiply, Pairing::kScalar>>();
const HandlerSet VDIVSS_Vss_Hss_Wss =
    scalar_float<divss, 4, singles<Step::kDivide, Pairing::kScalar>>();
const HandlerSet VDIVSD_Vsd_Hsd_Wsd =
    scalar_float<divsd, 8, doubles<Step::kDivide, Pairing::kScalar>>();
const HandlerSet VMINSS_Vss_Hss_Wss = scalar_float<minss, 4>();
const HandlerSet VMINSD_Vsd_Hsd_Wsd = scalar_float<minsd, 8>();
const HandlerSet VMAXSS_Vss_Hss_Wss = scalar_float<maxss, 4>();
const HandlerSet VMAXSD_Vsd_Hsd_Wsd = scalar_float<maxsd, 8>();
const HandlerSet VSQRTSS_Vss_Hss_Wss = scalar_float<sqrtss, 4>();
const HandlerSet VSQRTSD_Vsd_Hsd_Wsd = scalar_float<sqrtsd, 8>();

BOTH_LENGTHS(VROUNDPS_Vx_Wx_Ib, rounded<roundps>);
BOTH_LENGTHS(VROUNDPD_Vx_Wx_Ib, rounded<roundpd>);
const HandlerSet VROUNDSS_Vss_Hss_Wss_Ib = scalar_float<roundss, 4, never_inexact, rounding_mode>();
const HandlerSet VROUNDSD_Vsd_Hsd_Wsd_Ib = scalar_float<roundsd, 8, never_inexact, rounding_mode>();

BOTH_LENGTHS(VANDPS_Vx_Hx_Wx, packed<and_bits>);
BOTH_LENGTHS(VANDPD_Vx_Hx_Wx, packed<and_bits>);
BOTH_LENGTHS(VANDNPS_Vx_Hx_Wx, packed<and_not_bits>);
BOTH_LENGTHS(VANDNPD_Vx_Hx_Wx, packed<and_not_bits>);
BOTH_LENGTHS(VORPS_Vx_Hx_Wx, packed<or_bits>);
BOTH_LENGTHS(VORPD_Vx_Hx_Wx, packed<or_bits>);
BOTH_LENGTHS(VXORPS_Vx_Hx_Wx, packed<xor_bits>);
BOTH_LENGTHS(VXORPD_Vx_Hx_Wx, packed<xor_bits>);

BOTH_LENGTHS(VRCPPS_Vx_Wx, packed<approximated<approximate_reciprocal>>);
BOTH_LENGTHS(VRSQRTPS_Vx_Wx, packed<approximated<approximate_reciprocal_square_root>>);
const HandlerSet VRCPSS_Vss_Hss_Wss = scalar<approximated_scalar<approximate_reciprocal>, 4>();
const HandlerSet VRSQRTSS_Vss_Hss_Wss =
    scalar<approximated_scalar<approximate_reciprocal_square_root>, 4>();

}  // namespace uchronia::cpu::interp::handler
