// Rearranging elements: shuffles, permutations, unpacking, blends, insertion, extraction, copies of
// one element.
#include "cpu/interp/avx_float/forms.h"
#include "cpu/interp/sse/blend_operations.h"
#include "cpu/interp/sse/insert_operations.h"
#include "cpu/interp/sse/shuffle_operations.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;

namespace {

constexpr auto unpack_low_singles = [](__m128i a, __m128i b) { return _mm_unpacklo_epi32(a, b); };
constexpr auto unpack_high_singles = [](__m128i a, __m128i b) { return _mm_unpackhi_epi32(a, b); };
constexpr auto unpack_low_doubles = [](__m128i a, __m128i b) { return _mm_unpacklo_epi64(a, b); };
constexpr auto unpack_high_doubles = [](__m128i a, __m128i b) { return _mm_unpackhi_epi64(a, b); };

// VPERMILPS, VPERMILPD: one source, chosen by an immediate or by each control element.
constexpr auto permute_doubles = [](__m128i, __m128i b, u8 immediate) {
    return sse::shuffle_doubles(b, b, immediate);
};
constexpr auto permute_singles_by = [](__m128i a, __m128i control) {
    const auto from = std::bit_cast<std::array<u32, 4>>(a);
    auto result = std::bit_cast<std::array<u32, 4>>(control);
    for (u32& element : result)
        element = from[element & 3];
    return std::bit_cast<__m128i>(result);
};
constexpr auto permute_doubles_by = [](__m128i a, __m128i control) {
    const auto from = std::bit_cast<std::array<u64, 2>>(a);
    auto result = std::bit_cast<std::array<u64, 2>>(control);
    for (u64& element : result)
        element = from[(element >> 1) & 1];
    return std::bit_cast<__m128i>(result);
};

// Across lanes.
constexpr auto permute_all_singles = [](YMM control, YMM b) {
    const auto from = elements_of<u32>(b);
    auto result = elements_of<u32>(control);
    for (u32& element : result.value)
        element = from.value[element & 7];
    return ymm_of(result);
};
constexpr auto permute_all_doubles = [](YMM, YMM b, u8 immediate) {
    const auto from = elements_of<u64>(b);
    return ymm_of(Elements<u64>{{from.value[immediate & 3], from.value[(immediate >> 2) & 3],
                                 from.value[(immediate >> 4) & 3], from.value[immediate >> 6]}});
};
__m128i chosen_lane(YMM a, YMM b, unsigned choice) {
    if ((choice & 8) != 0)
        return _mm_setzero_si128();
    const YMM& source = (choice & 2) != 0 ? b : a;
    return (choice & 1) != 0 ? source.high : source.low;
}
constexpr auto permute_lanes = [](YMM a, YMM b, u8 immediate) {
    return YMM{chosen_lane(a, b, immediate & 15u), chosen_lane(a, b, immediate >> 4)};
};
constexpr auto insert_lane = [](YMM a, YMM b, u8 immediate) {
    return (immediate & 1) != 0 ? YMM{a.low, b.low} : YMM{b.low, a.high};
};

constexpr auto repeat_single = [](YMM b) {
    const __m128i lane = _mm_shuffle_epi32(b.low, 0);
    return YMM{lane, lane};
};
constexpr auto repeat_double = [](YMM b) {
    const __m128i lane = _mm_unpacklo_epi64(b.low, b.low);
    return YMM{lane, lane};
};
constexpr auto repeat_lane = [](YMM b) { return YMM{b.low, b.low}; };
constexpr auto repeat_single_in_lane = [](YMM b) {
    return lower_lane(_mm_shuffle_epi32(b.low, 0));
};

// Blends by the signs of the register in the immediate's upper half.
template <auto F, unsigned lane_count>
[[gnu::always_inline]] inline void blend(VCPU& cpu, const Op* op, YMM b) {
    const YMM a = ymm(cpu, vex_vvvv(op)), mask = ymm(cpu, vex_is4(op));
    const YMM result{F(a.low, b.low, mask.low), F(a.high, b.high, mask.high)};
    set_ymm(cpu, op->reg, zero_extended<16 * lane_count>(result));
}
template <auto F, unsigned lane_count>
void blend_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    blend<F, lane_count>(cpu, op, ymm(cpu, op->rm));
    return next(cpu, op);
}
template <auto F, unsigned lane_count>
void blend_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedYMM b = load<16 * lane_count>(cpu, op);
    if (!b.ok) [[unlikely]]
        return;
    blend<F, lane_count>(cpu, op, b.value);
    return next(cpu, op);
}
template <auto F>
constexpr auto blend_form =
    []<unsigned n>(Lanes<n>) { return by_form(blend_register<F, n>, blend_memory<F, n>); };

// From ModRM.reg to ModRM.rm.
u32 extracted_single(VCPU& cpu, const Op* op) {
    return sse::xmm_element<u32>(cpu, op->reg, vex_immediate(op) & 3u);
}
void extract_single_to_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    register_at<u64>(cpu, op->rm) = extracted_single(cpu, op);
    return next(cpu, op);
}
void extract_single_to_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    if (!write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), extracted_single(cpu, op)))
        [[unlikely]]
        return;
    return next(cpu, op);
}
YMM extracted_lane(VCPU& cpu, const Op* op) {
    const YMM value = ymm(cpu, op->reg);
    return lower_lane((vex_immediate(op) & 1) != 0 ? value.high : value.low);
}
void extract_lane_to_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    set_ymm(cpu, op->rm, extracted_lane(cpu, op));
    return next(cpu, op);
}
void extract_lane_to_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op) || !store<16>(cpu, op, extracted_lane(cpu, op))) [[unlikely]]
        return;
    return next(cpu, op);
}

}  // namespace

BOTH_LENGTHS(VUNPCKLPS_Vx_Hx_Wx, packed<unpack_low_singles>);
BOTH_LENGTHS(VUNPCKHPS_Vx_Hx_Wx, packed<unpack_high_singles>);
BOTH_LENGTHS(VUNPCKLPD_Vx_Hx_Wx, packed<unpack_low_doubles>);
BOTH_LENGTHS(VUNPCKHPD_Vx_Hx_Wx, packed<unpack_high_doubles>);
BOTH_LENGTHS(VSHUFPS_Vx_Hx_Wx_Ib, packed<sse::shuffle_singles>);
BOTH_LENGTHS(VSHUFPD_Vx_Hx_Wx_Ib, packed<sse::shuffle_doubles, 2>);
BOTH_LENGTHS(VPERMILPS_Vx_Wx_Ib, packed<sse::shuffle_dwords>);
BOTH_LENGTHS(VPERMILPD_Vx_Wx_Ib, packed<permute_doubles, 2>);
BOTH_LENGTHS(VPERMILPS_Vx_Hx_Wx, packed<permute_singles_by>);
BOTH_LENGTHS(VPERMILPD_Vx_Hx_Wx, packed<permute_doubles_by>);
const HandlerSet VPERMPS_Vx_Hx_Wx = whole<permute_all_singles, k256, 32>();
const HandlerSet VPERMPD_Vx_Wx_Ib = whole<permute_all_doubles, k256, 32>();
const HandlerSet VPERM2F128_Vx_Hx_Wx_Ib = whole<permute_lanes, k256, 32>();
const HandlerSet VINSERTF128_Vx_Hx_Wdq_Ib = whole<insert_lane, k256, 16>();
const HandlerSet VEXTRACTF128_Wdq_Vx_Ib = by_form(extract_lane_to_register, extract_lane_to_memory);
const HandlerSet VEXTRACTPS_Ed_Vdq_Ib =
    by_form(extract_single_to_register, extract_single_to_memory);
const HandlerSet VINSERTPS_Vdq_Hdq_Wd_Ib =
    by_form(ymm_register<by_lane<sse::insert_chosen_single, 1>>,
            ymm_memory<by_lane<sse::insert_low_single, 1>, 4>);

const HandlerSet VBROADCASTSS_Vx_Md_128 = always(ymm_memory<repeat_single_in_lane, 4>);
const HandlerSet VBROADCASTSS_Vx_Ud_128 = always(ymm_register<repeat_single_in_lane>);
const HandlerSet VBROADCASTSS_Vx_Md_256 = always(ymm_memory<repeat_single, 4>);
const HandlerSet VBROADCASTSS_Vx_Ud_256 = always(ymm_register<repeat_single>);
const HandlerSet VBROADCASTSD_Vx_Mq = always(ymm_memory<repeat_double, 8>);
const HandlerSet VBROADCASTSD_Vx_Uq = always(ymm_register<repeat_double>);
const HandlerSet VBROADCASTF128_Vx_Mdq = always(ymm_memory<repeat_lane, 16>);

BOTH_LENGTHS(VBLENDPS_Vx_Hx_Wx_Ib, packed<sse::choose_dwords, 4>);
BOTH_LENGTHS(VBLENDPD_Vx_Hx_Wx_Ib, packed<sse::choose_qwords, 2>);
BOTH_LENGTHS(VBLENDVPS_Vx_Hx_Wx_Lx, blend_form<sse::blend_singles>);
BOTH_LENGTHS(VBLENDVPD_Vx_Hx_Wx_Lx, blend_form<sse::blend_doubles>);

}  // namespace uchronia::cpu::interp::handler
