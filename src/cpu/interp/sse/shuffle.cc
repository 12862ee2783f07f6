// Rearranging elements: shuffles, unpacking, packing, blending, widening, byte alignment.
#include <smmintrin.h>

#include <algorithm>

#include "cpu/interp/sse/byte_shift.h"
#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

struct alignas(16) Control {
    std::array<u8, 16> bytes;
};

// PSHUFB controls of PSHUFD by its immediate.
constexpr std::array<Control, 256> kDwordControls = [] {
    std::array<Control, 256> controls{};
    for (unsigned immediate = 0; immediate < 256; ++immediate) {
        for (unsigned i = 0; i < 16; ++i) {
            const unsigned element = (immediate >> (2 * (i / 4))) & 3u;
            controls[immediate].bytes[i] = static_cast<u8>(4 * element + i % 4);
        }
    }
    return controls;
}();

// The same for the four words of one half.
constexpr std::array<u64, 256> kWordControls = [] {
    std::array<u64, 256> controls{};
    for (unsigned immediate = 0; immediate < 256; ++immediate) {
        for (unsigned i = 0; i < 8; ++i) {
            const unsigned element = (immediate >> (2 * (i / 2))) & 3u;
            controls[immediate] |= u64{2 * element + i % 2} << (8 * i);
        }
    }
    return controls;
}();
constexpr u64 kIdentityLow = 0x0706050403020100, kIdentityHigh = 0x0f0e0d0c0b0a0908;

constexpr auto shuffle_dwords = [](__m128i, __m128i b, u8 immediate) {
    const auto* control = reinterpret_cast<const __m128i*>(&kDwordControls[immediate]);
    return _mm_shuffle_epi8(b, _mm_load_si128(control));
};
constexpr auto shuffle_low_words = [](__m128i, __m128i b, u8 immediate) {
    const u64 low = kWordControls[immediate];
    return _mm_shuffle_epi8(b,
                            _mm_set_epi64x(static_cast<i64>(kIdentityHigh), static_cast<i64>(low)));
};
constexpr auto shuffle_high_words = [](__m128i, __m128i b, u8 immediate) {
    const u64 high = kWordControls[immediate] + 0x0808080808080808;
    return _mm_shuffle_epi8(b,
                            _mm_set_epi64x(static_cast<i64>(high), static_cast<i64>(kIdentityLow)));
};
constexpr auto shuffle_singles = [](__m128i a, __m128i b, u8 immediate) {
    const __m128i low = shuffle_dwords(a, a, immediate);
    return merge_halves(low, shuffle_dwords(b, b, immediate));
};
constexpr auto shuffle_doubles = [](__m128i a, __m128i b, u8 immediate) {
    const __m128i low = (immediate & 1) != 0 ? _mm_unpackhi_epi64(a, a) : a;
    const __m128i high = (immediate & 2) != 0 ? b : _mm_unpacklo_epi64(b, b);
    return merge_halves(low, high);
};

// The 32 bytes a:b, shifted right.
constexpr auto align_bytes = [](__m128i a, __m128i b, u8 immediate) {
    const unsigned count = std::min<unsigned>(immediate, 32);
    const __m128i low = shift_bytes_right(b, std::min(count, 16u));
    const __m128i high =
        count <= 16 ? shift_bytes_left(a, 16 - count) : shift_bytes_right(a, count - 16);
    return _mm_or_si128(low, high);
};
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
