// What crosses lanes: broadcasts, halves of 128 bits, permutations.
#include <smmintrin.h>

#include "cpu/interp/avx_integer/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_integer;

namespace {

[[gnu::always_inline]] inline YMM twice(__m128i lane) {
    return {lane, lane};
}

constexpr auto broadcast_byte = [](YMM, YMM b, u8) {
    return twice(_mm_shuffle_epi8(b.low, _mm_setzero_si128()));
};
constexpr auto broadcast_word = [](YMM, YMM b, u8) {
    return twice(_mm_shuffle_epi8(b.low, _mm_set1_epi16(0x0100)));
};
constexpr auto broadcast_dword = [](YMM, YMM b, u8) { return twice(_mm_shuffle_epi32(b.low, 0)); };
constexpr auto broadcast_qword = [](YMM, YMM b, u8) {
    return twice(_mm_unpacklo_epi64(b.low, b.low));
};
constexpr auto broadcast_lane = [](YMM, YMM b, u8) { return twice(b.low); };

// Doublewords of `from` by the indices of one lane.
[[gnu::always_inline]] inline __m128i choose_dwords(YMM from, __m128i indices) {
    const __m128i in_lane = _mm_and_si128(indices, _mm_set1_epi32(3));
    const __m128i control = _mm_add_epi32(_mm_mullo_epi32(in_lane, _mm_set1_epi32(0x04040404)),
                                          _mm_set1_epi32(0x03020100));
    const __m128i from_high = _mm_srai_epi32(_mm_slli_epi32(indices, 29), 31);
    return _mm_blendv_epi8(_mm_shuffle_epi8(from.low, control),
                           _mm_shuffle_epi8(from.high, control), from_high);
}
constexpr auto permute_dwords = [](YMM a, YMM b, u8) {
    return YMM{choose_dwords(b, a.low), choose_dwords(b, a.high)};
};

// A quadword of `from`, in both halves.
[[gnu::always_inline]] inline __m128i choose_qword(YMM from, unsigned index) {
    const __m128i lane = (index & 2) != 0 ? from.high : from.low;
    return (index & 1) != 0 ? _mm_unpackhi_epi64(lane, lane) : _mm_unpacklo_epi64(lane, lane);
}
constexpr auto permute_qwords = [](YMM, YMM b, u8 immediate) {
    const unsigned i = immediate;
    return YMM{_mm_unpacklo_epi64(choose_qword(b, i), choose_qword(b, i >> 2)),
               _mm_unpacklo_epi64(choose_qword(b, i >> 4), choose_qword(b, i >> 6))};
};

// Bits 0-1 of `control` choose a lane of the two registers, bit 3 makes it zero.
[[gnu::always_inline]] inline __m128i choose_lane(YMM a, YMM b, unsigned control) {
    const YMM from = (control & 2) != 0 ? b : a;
    const __m128i lane = (control & 1) != 0 ? from.high : from.low;
    return (control & 8) != 0 ? _mm_setzero_si128() : lane;
}
constexpr auto permute_lanes = [](YMM a, YMM b, u8 immediate) {
    return YMM{choose_lane(a, b, immediate), choose_lane(a, b, immediate >> 4)};
};

constexpr auto insert_lane = [](YMM a, YMM b, u8 immediate) {
    return (immediate & 1) != 0 ? YMM{a.low, b.low} : YMM{b.low, a.high};
};

// To ModRM.rm.
[[gnu::always_inline]] inline __m128i extracted_lane(VCPU& cpu, const Op* op) {
    const YMM source = ymm(cpu, op->reg);
    return (vex_immediate(op) & 1) != 0 ? source.high : source.low;
}
void extract_lane_to_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    set_low_lane(cpu, op->rm, extracted_lane(cpu, op));
    return next(cpu, op);
}
void extract_lane_to_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    if (!sse::store<sse::Width::kUnaligned>(cpu, op, extracted_lane(cpu, op))) [[unlikely]]
        return;
    return next(cpu, op);
}

}  // namespace

const HandlerSet VPBROADCASTB_Vx_Wb_128 = whole<broadcast_byte, k128, 1>();
const HandlerSet VPBROADCASTB_Vx_Wb_256 = whole<broadcast_byte, k256, 1>();
const HandlerSet VPBROADCASTW_Vx_Ww_128 = whole<broadcast_word, k128, 2>();
const HandlerSet VPBROADCASTW_Vx_Ww_256 = whole<broadcast_word, k256, 2>();
const HandlerSet VPBROADCASTD_Vx_Wd_128 = whole<broadcast_dword, k128, 4>();
const HandlerSet VPBROADCASTD_Vx_Wd_256 = whole<broadcast_dword, k256, 4>();
const HandlerSet VPBROADCASTQ_Vx_Wq_128 = whole<broadcast_qword, k128, 8>();
const HandlerSet VPBROADCASTQ_Vx_Wq_256 = whole<broadcast_qword, k256, 8>();
const HandlerSet VBROADCASTI128_Vqq_Mdq = whole<broadcast_lane, k256, 16>();
const HandlerSet VPERMD_Vqq_Hqq_Wqq = whole<permute_dwords, k256>();
const HandlerSet VPERMQ_Vqq_Wqq_Ib = whole<permute_qwords, k256>();
const HandlerSet VPERM2I128_Vqq_Hqq_Wqq_Ib = whole<permute_lanes, k256>();
const HandlerSet VINSERTI128_Vqq_Hqq_Wdq_Ib = whole<insert_lane, k256, 16>();
const HandlerSet VEXTRACTI128_Wdq_Vqq_Ib =
    by_form(extract_lane_to_register, extract_lane_to_memory);

}  // namespace uchronia::cpu::interp::handler
