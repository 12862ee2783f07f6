// Packed integer arithmetic and logic, MMX and XMM. Elements do not see their neighbours, so that
// an MMX form is the low half of the XMM one.
#include <smmintrin.h>

#include "cpu/interp/sse/block_difference.h"
#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

const HandlerSet PADDB_Pq_Qq = pq_qq<_mm_add_epi8>();
const HandlerSet PADDB_Vx_Wx = vx_wx<_mm_add_epi8>();
const HandlerSet PADDW_Pq_Qq = pq_qq<_mm_add_epi16>();
const HandlerSet PADDW_Vx_Wx = vx_wx<_mm_add_epi16>();
const HandlerSet PADDD_Pq_Qq = pq_qq<_mm_add_epi32>();
const HandlerSet PADDD_Vx_Wx = vx_wx<_mm_add_epi32>();
const HandlerSet PADDQ_Pq_Qq = pq_qq<_mm_add_epi64>();
const HandlerSet PADDQ_Vx_Wx = vx_wx<_mm_add_epi64>();
const HandlerSet PADDSB_Pq_Qq = pq_qq<_mm_adds_epi8>();
const HandlerSet PADDSB_Vx_Wx = vx_wx<_mm_adds_epi8>();
const HandlerSet PADDSW_Pq_Qq = pq_qq<_mm_adds_epi16>();
const HandlerSet PADDSW_Vx_Wx = vx_wx<_mm_adds_epi16>();
const HandlerSet PADDUSB_Pq_Qq = pq_qq<_mm_adds_epu8>();
const HandlerSet PADDUSB_Vx_Wx = vx_wx<_mm_adds_epu8>();
const HandlerSet PADDUSW_Pq_Qq = pq_qq<_mm_adds_epu16>();
const HandlerSet PADDUSW_Vx_Wx = vx_wx<_mm_adds_epu16>();
const HandlerSet PSUBB_Pq_Qq = pq_qq<_mm_sub_epi8>();
const HandlerSet PSUBB_Vx_Wx = vx_wx<_mm_sub_epi8>();
const HandlerSet PSUBW_Pq_Qq = pq_qq<_mm_sub_epi16>();
const HandlerSet PSUBW_Vx_Wx = vx_wx<_mm_sub_epi16>();
const HandlerSet PSUBD_Pq_Qq = pq_qq<_mm_sub_epi32>();
const HandlerSet PSUBD_Vx_Wx = vx_wx<_mm_sub_epi32>();
const HandlerSet PSUBQ_Pq_Qq = pq_qq<_mm_sub_epi64>();
const HandlerSet PSUBQ_Vx_Wx = vx_wx<_mm_sub_epi64>();
const HandlerSet PSUBSB_Pq_Qq = pq_qq<_mm_subs_epi8>();
const HandlerSet PSUBSB_Vx_Wx = vx_wx<_mm_subs_epi8>();
const HandlerSet PSUBSW_Pq_Qq = pq_qq<_mm_subs_epi16>();
const HandlerSet PSUBSW_Vx_Wx = vx_wx<_mm_subs_epi16>();
const HandlerSet PSUBUSB_Pq_Qq = pq_qq<_mm_subs_epu8>();
const HandlerSet PSUBUSB_Vx_Wx = vx_wx<_mm_subs_epu8>();
const HandlerSet PSUBUSW_Pq_Qq = pq_qq<_mm_subs_epu16>();
const HandlerSet PSUBUSW_Vx_Wx = vx_wx<_mm_subs_epu16>();
const HandlerSet PMULLW_Pq_Qq = pq_qq<_mm_mullo_epi16>();
const HandlerSet PMULLW_Vx_Wx = vx_wx<_mm_mullo_epi16>();
const HandlerSet PMULHW_Pq_Qq = pq_qq<_mm_mulhi_epi16>();
const HandlerSet PMULHW_Vx_Wx = vx_wx<_mm_mulhi_epi16>();
const HandlerSet PMULHUW_Pq_Qq = pq_qq<_mm_mulhi_epu16>();
const HandlerSet PMULHUW_Vx_Wx = vx_wx<_mm_mulhi_epu16>();
const HandlerSet PMULUDQ_Pq_Qq = pq_qq<_mm_mul_epu32>();
const HandlerSet PMULUDQ_Vx_Wx = vx_wx<_mm_mul_epu32>();
const HandlerSet PMULHRSW_Pq_Qq = pq_qq<_mm_mulhrs_epi16>();
const HandlerSet PMULHRSW_Vx_Wx = vx_wx<_mm_mulhrs_epi16>();
const HandlerSet PMADDWD_Pq_Qq = pq_qq<_mm_madd_epi16>();
const HandlerSet PMADDWD_Vx_Wx = vx_wx<_mm_madd_epi16>();
const HandlerSet PMADDUBSW_Pq_Qq = pq_qq<_mm_maddubs_epi16>();
const HandlerSet PMADDUBSW_Vx_Wx = vx_wx<_mm_maddubs_epi16>();
const HandlerSet PSADBW_Pq_Qq = pq_qq<_mm_sad_epu8>();
const HandlerSet PSADBW_Vx_Wx = vx_wx<_mm_sad_epu8>();
const HandlerSet PAVGB_Pq_Qq = pq_qq<_mm_avg_epu8>();
const HandlerSet PAVGB_Vx_Wx = vx_wx<_mm_avg_epu8>();
const HandlerSet PAVGW_Pq_Qq = pq_qq<_mm_avg_epu16>();
const HandlerSet PAVGW_Vx_Wx = vx_wx<_mm_avg_epu16>();
const HandlerSet PMINUB_Pq_Qq = pq_qq<_mm_min_epu8>();
const HandlerSet PMINUB_Vx_Wx = vx_wx<_mm_min_epu8>();
const HandlerSet PMINSW_Pq_Qq = pq_qq<_mm_min_epi16>();
const HandlerSet PMINSW_Vx_Wx = vx_wx<_mm_min_epi16>();
const HandlerSet PMAXUB_Pq_Qq = pq_qq<_mm_max_epu8>();
const HandlerSet PMAXUB_Vx_Wx = vx_wx<_mm_max_epu8>();
const HandlerSet PMAXSW_Pq_Qq = pq_qq<_mm_max_epi16>();
const HandlerSet PMAXSW_Vx_Wx = vx_wx<_mm_max_epi16>();
const HandlerSet PSIGNB_Pq_Qq = pq_qq<_mm_sign_epi8>();
const HandlerSet PSIGNB_Vx_Wx = vx_wx<_mm_sign_epi8>();
const HandlerSet PSIGNW_Pq_Qq = pq_qq<_mm_sign_epi16>();
const HandlerSet PSIGNW_Vx_Wx = vx_wx<_mm_sign_epi16>();
const HandlerSet PSIGND_Pq_Qq = pq_qq<_mm_sign_epi32>();
const HandlerSet PSIGND_Vx_Wx = vx_wx<_mm_sign_epi32>();
const HandlerSet PABSB_Pq_Qq = pq_qq<_mm_abs_epi8>();
const HandlerSet PABSB_Vx_Wx = vx_wx<_mm_abs_epi8>();
const HandlerSet PABSW_Pq_Qq = pq_qq<_mm_abs_epi16>();
const HandlerSet PABSW_Vx_Wx = vx_wx<_mm_abs_epi16>();
const HandlerSet PABSD_Pq_Qq = pq_qq<_mm_abs_epi32>();
const HandlerSet PABSD_Vx_Wx = vx_wx<_mm_abs_epi32>();
const HandlerSet PAND_Pq_Qq = pq_qq<_mm_and_si128>();
const HandlerSet PAND_Vx_Wx = vx_wx<_mm_and_si128>();
const HandlerSet PANDN_Pq_Qq = pq_qq<_mm_andnot_si128>();
const HandlerSet PANDN_Vx_Wx = vx_wx<_mm_andnot_si128>();
const HandlerSet POR_Pq_Qq = pq_qq<_mm_or_si128>();
const HandlerSet POR_Vx_Wx = vx_wx<_mm_or_si128>();
const HandlerSet PXOR_Pq_Qq = pq_qq<_mm_xor_si128>();
const HandlerSet PXOR_Vx_Wx = vx_wx<_mm_xor_si128>();

// SSE4.1: XMM only.
const HandlerSet PMULDQ_Vx_Wx = vx_wx<_mm_mul_epi32>();
const HandlerSet PMULLD_Vx_Wx = vx_wx<_mm_mullo_epi32>();
const HandlerSet PMINSB_Vx_Wx = vx_wx<_mm_min_epi8>();
const HandlerSet PMINSD_Vx_Wx = vx_wx<_mm_min_epi32>();
const HandlerSet PMINUW_Vx_Wx = vx_wx<_mm_min_epu16>();
const HandlerSet PMINUD_Vx_Wx = vx_wx<_mm_min_epu32>();
const HandlerSet PMAXSB_Vx_Wx = vx_wx<_mm_max_epi8>();
const HandlerSet PMAXSD_Vx_Wx = vx_wx<_mm_max_epi32>();
const HandlerSet PMAXUW_Vx_Wx = vx_wx<_mm_max_epu16>();
const HandlerSet PMAXUD_Vx_Wx = vx_wx<_mm_max_epu32>();
const HandlerSet PHMINPOSUW_Vdq_Wdq = vx_wx<_mm_minpos_epu16>();

// Bitwise operations on floating-point registers know nothing of floating point.
const HandlerSet ANDPS_Vps_Wps = vx_wx<_mm_and_si128>();
const HandlerSet ANDPD_Vpd_Wpd = vx_wx<_mm_and_si128>();
const HandlerSet ANDNPS_Vps_Wps = vx_wx<_mm_andnot_si128>();
const HandlerSet ANDNPD_Vpd_Wpd = vx_wx<_mm_andnot_si128>();
const HandlerSet ORPS_Vps_Wps = vx_wx<_mm_or_si128>();
const HandlerSet ORPD_Vpd_Wpd = vx_wx<_mm_or_si128>();
const HandlerSet XORPS_Vps_Wps = vx_wx<_mm_xor_si128>();
const HandlerSet XORPD_Vpd_Wpd = vx_wx<_mm_xor_si128>();

// Horizontal operations: the MMX form works on both operands side by side.
const HandlerSet PHADDW_Pq_Qq = pq_qq<[](__m128i a, __m128i b) {
    const __m128i both = _mm_unpacklo_epi64(a, b);
    return _mm_hadd_epi16(both, both);
}>();
const HandlerSet PHADDW_Vx_Wx = vx_wx<_mm_hadd_epi16>();
const HandlerSet PHADDD_Pq_Qq = pq_qq<[](__m128i a, __m128i b) {
    const __m128i both = _mm_unpacklo_epi64(a, b);
    return _mm_hadd_epi32(both, both);
}>();
const HandlerSet PHADDD_Vx_Wx = vx_wx<_mm_hadd_epi32>();
const HandlerSet PHADDSW_Pq_Qq = pq_qq<[](__m128i a, __m128i b) {
    const __m128i both = _mm_unpacklo_epi64(a, b);
    return _mm_hadds_epi16(both, both);
}>();
const HandlerSet PHADDSW_Vx_Wx = vx_wx<_mm_hadds_epi16>();
const HandlerSet PHSUBW_Pq_Qq = pq_qq<[](__m128i a, __m128i b) {
    const __m128i both = _mm_unpacklo_epi64(a, b);
    return _mm_hsub_epi16(both, both);
}>();
const HandlerSet PHSUBW_Vx_Wx = vx_wx<_mm_hsub_epi16>();
const HandlerSet PHSUBD_Pq_Qq = pq_qq<[](__m128i a, __m128i b) {
    const __m128i both = _mm_unpacklo_epi64(a, b);
    return _mm_hsub_epi32(both, both);
}>();
const HandlerSet PHSUBD_Vx_Wx = vx_wx<_mm_hsub_epi32>();
const HandlerSet PHSUBSW_Pq_Qq = pq_qq<[](__m128i a, __m128i b) {
    const __m128i both = _mm_unpacklo_epi64(a, b);
    return _mm_hsubs_epi16(both, both);
}>();
const HandlerSet PHSUBSW_Vx_Wx = vx_wx<_mm_hsubs_epi16>();

const HandlerSet MPSADBW_Vdq_Wdq_Ib = vx_wx<sum_block_differences>();

}  // namespace uchronia::cpu::interp::handler
