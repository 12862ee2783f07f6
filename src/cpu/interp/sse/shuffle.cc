// Rearranging elements: shuffles, unpacking, packing, blending, widening, byte alignment.
#include <smmintrin.h>

#include "cpu/interp/sse/forms.h"
#include "cpu/interp/sse/shuffle_operations.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

constexpr auto align_bytes_mmx = [](__m128i a, __m128i b, u8 immediate) {
    return shift_bytes_right(_mm_unpacklo_epi64(b, a), std::min<unsigned>(immediate, 16));
};
// An MMX control byte has three index bits.
constexpr auto shuffle_bytes_mmx = [](__m128i a, __m128i b) {
    return _mm_shuffle_epi8(a, _mm_and_si128(b, _mm_set1_epi8(static_cast<char>(0x87))));
};

// MMX forms by way of XMM ones: both operands side by side, or the upper half of the result.
template <auto F>
constexpr auto side_by_side = [](__m128i a, __m128i b) {
    const __m128i both = _mm_unpacklo_epi64(a, b);
    return F(both, both);
};
template <auto F>
constexpr auto upper_half = [](__m128i a, __m128i b) {
    const __m128i result = F(a, b);
    return _mm_unpackhi_epi64(result, result);
};

}  // namespace

const HandlerSet PSHUFW_Pq_Qq_Ib = pq_qq<shuffle_low_words>();
const HandlerSet PSHUFLW_Vx_Wx_Ib = vx_wx<shuffle_low_words>();
const HandlerSet PSHUFHW_Vx_Wx_Ib = vx_wx<shuffle_high_words>();
const HandlerSet PSHUFD_Vx_Wx_Ib = vx_wx<shuffle_dwords>();
const HandlerSet SHUFPS_Vps_Wps_Ib = vx_wx<shuffle_singles>();
const HandlerSet SHUFPD_Vpd_Wpd_Ib = vx_wx<shuffle_doubles>();
const HandlerSet PSHUFB_Pq_Qq = pq_qq<shuffle_bytes_mmx>();
const HandlerSet PSHUFB_Vx_Wx = vx_wx<_mm_shuffle_epi8>();
const HandlerSet PALIGNR_Pq_Qq_Ib = pq_qq<align_bytes_mmx>();
const HandlerSet PALIGNR_Vx_Wx_Ib = vx_wx<align_bytes>();

const HandlerSet PUNPCKLBW_Pq_Qd = pq_qq<_mm_unpacklo_epi8, Width::kDword>();
const HandlerSet PUNPCKLBW_Vx_Wx = vx_wx<_mm_unpacklo_epi8>();
const HandlerSet PUNPCKHBW_Pq_Qq = pq_qq<upper_half<_mm_unpacklo_epi8>>();
const HandlerSet PUNPCKHBW_Vx_Wx = vx_wx<_mm_unpackhi_epi8>();
const HandlerSet PUNPCKLWD_Pq_Qd = pq_qq<_mm_unpacklo_epi16, Width::kDword>();
const HandlerSet PUNPCKLWD_Vx_Wx = vx_wx<_mm_unpacklo_epi16>();
const HandlerSet PUNPCKHWD_Pq_Qq = pq_qq<upper_half<_mm_unpacklo_epi16>>();
const HandlerSet PUNPCKHWD_Vx_Wx = vx_wx<_mm_unpackhi_epi16>();
const HandlerSet PUNPCKLDQ_Pq_Qd = pq_qq<_mm_unpacklo_epi32, Width::kDword>();
const HandlerSet PUNPCKLDQ_Vx_Wx = vx_wx<_mm_unpacklo_epi32>();
const HandlerSet PUNPCKHDQ_Pq_Qq = pq_qq<upper_half<_mm_unpacklo_epi32>>();
const HandlerSet PUNPCKHDQ_Vx_Wx = vx_wx<_mm_unpackhi_epi32>();
const HandlerSet PUNPCKLQDQ_Vx_Wx = vx_wx<_mm_unpacklo_epi64>();
const HandlerSet PUNPCKHQDQ_Vx_Wx = vx_wx<_mm_unpackhi_epi64>();
const HandlerSet UNPCKLPS_Vps_Wps = vx_wx<_mm_unpacklo_epi32>();
const HandlerSet UNPCKHPS_Vps_Wps = vx_wx<_mm_unpackhi_epi32>();
const HandlerSet UNPCKLPD_Vpd_Wpd = vx_wx<_mm_unpacklo_epi64>();
const HandlerSet UNPCKHPD_Vpd_Wpd = vx_wx<_mm_unpackhi_epi64>();

const HandlerSet PACKSSWB_Pq_Qq = pq_qq<side_by_side<_mm_packs_epi16>>();
const HandlerSet PACKSSWB_Vx_Wx = vx_wx<_mm_packs_epi16>();
const HandlerSet PACKSSDW_Pq_Qq = pq_qq<side_by_side<_mm_packs_epi32>>();
const HandlerSet PACKSSDW_Vx_Wx = vx_wx<_mm_packs_epi32>();
const HandlerSet PACKUSWB_Pq_Qq = pq_qq<side_by_side<_mm_packus_epi16>>();
const HandlerSet PACKUSWB_Vx_Wx = vx_wx<_mm_packus_epi16>();
const HandlerSet PACKUSDW_Vx_Wx = vx_wx<_mm_packus_epi32>();

const HandlerSet PMOVSXBW_Vdq_Wq = vx_wx<_mm_cvtepi8_epi16, Width::kQword>();
const HandlerSet PMOVSXBD_Vdq_Wd = vx_wx<_mm_cvtepi8_epi32, Width::kDword>();
const HandlerSet PMOVSXBQ_Vdq_Ww = vx_wx<_mm_cvtepi8_epi64, Width::kWord>();
const HandlerSet PMOVSXWD_Vdq_Wq = vx_wx<_mm_cvtepi16_epi32, Width::kQword>();
const HandlerSet PMOVSXWQ_Vdq_Wd = vx_wx<_mm_cvtepi16_epi64, Width::kDword>();
const HandlerSet PMOVSXDQ_Vdq_Wq = vx_wx<_mm_cvtepi32_epi64, Width::kQword>();
const HandlerSet PMOVZXBW_Vdq_Wq = vx_wx<_mm_cvtepu8_epi16, Width::kQword>();
const HandlerSet PMOVZXBD_Vdq_Wd = vx_wx<_mm_cvtepu8_epi32, Width::kDword>();
const HandlerSet PMOVZXBQ_Vdq_Ww = vx_wx<_mm_cvtepu8_epi64, Width::kWord>();
const HandlerSet PMOVZXWD_Vdq_Wq = vx_wx<_mm_cvtepu16_epi32, Width::kQword>();
const HandlerSet PMOVZXWQ_Vdq_Wd = vx_wx<_mm_cvtepu16_epi64, Width::kDword>();
const HandlerSet PMOVZXDQ_Vdq_Wq = vx_wx<_mm_cvtepu32_epi64, Width::kQword>();

}  // namespace uchronia::cpu::interp::handler
