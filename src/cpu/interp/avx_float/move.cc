// Moves of vector registers: whole, halves, scalars, with duplication, non-temporal, sign masks.
// Non-temporal hints have no effect that a program can see.
#include "cpu/interp/avx_float/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;

namespace {

constexpr auto unchanged = [](YMM b) { return b; };
template <unsigned size>
constexpr auto extended = [](YMM b) { return zero_extended<size>(b); };

template <unsigned size, Alignment alignment>
void store_form(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op) || !store<size, alignment>(cpu, op, ymm(cpu, op->reg))) [[unlikely]]
        return;
    return next(cpu, op);
}
// The register form of a store: the destination is ModRM.rm.
template <unsigned size>
void to_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    set_ymm(cpu, op->rm, zero_extended<size>(ymm(cpu, op->reg)));
    return next(cpu, op);
}

template <Alignment alignment>
constexpr auto load_row = []<unsigned n>(Lanes<n>) {
    return by_form(ymm_register<extended<16 * n>>, ymm_memory<unchanged, 16 * n, alignment>);
};
template <Alignment alignment>
constexpr auto store_row = []<unsigned n>(Lanes<n>) {
    return by_form(to_register<16 * n>, store_form<16 * n, alignment>);
};

// Scalars between registers: the low element of one operand, the rest of VEX.vvvv.
constexpr auto low_single = [](__m128i a, __m128i b) {
    return _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(a), _mm_castsi128_ps(b)));
};
constexpr auto low_double = [](__m128i a, __m128i b) { return sse::merge_halves(b, a); };
template <auto F>
void scalar_to_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const __m128i a = ymm(cpu, vex_vvvv(op)).low, b = ymm(cpu, op->reg).low;
    set_ymm(cpu, op->rm, lower_lane(F(a, b)));
    return next(cpu, op);
}

constexpr auto low_to_high = [](__m128i a, __m128i b) { return _mm_unpacklo_epi64(a, b); };
constexpr auto high_to_low = [](__m128i a, __m128i b) { return _mm_unpackhi_epi64(b, a); };
constexpr auto duplicate_low = [](__m128i b) { return _mm_unpacklo_epi64(b, b); };
constexpr auto duplicate_even = [](__m128i b) { return _mm_shuffle_epi32(b, 0xa0); };
constexpr auto duplicate_odd = [](__m128i b) { return _mm_shuffle_epi32(b, 0xf5); };

constexpr HandlerSet load_low_half = always(ymm_memory<by_lane<low_double, 1>, 8>);
constexpr HandlerSet load_high_half = always(ymm_memory<by_lane<low_to_high, 1>, 8>);
constexpr HandlerSet store_low_half = always(store_form<8, Alignment::kNone>);
constexpr HandlerSet store_high_half = always([](VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const u64 value = sse::xmm_element<u64>(cpu, op->reg, 1);
    if (!write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), value)) [[unlikely]]
        return;
    return next(cpu, op);
});

template <class T>
void from_general(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const __m128i value = _mm_cvtsi64_si128(static_cast<i64>(register_at<T>(cpu, op->rm)));
    set_ymm(cpu, op->reg, lower_lane(value));
    return next(cpu, op);
}
template <class T>
void to_general(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    set_register(cpu, op->rm, sse::xmm_element<T>(cpu, op->reg, 0));
    return next(cpu, op);
}

unsigned signs_of_singles(__m128i value) {
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(value)));
}
unsigned signs_of_doubles(__m128i value) {
    return static_cast<unsigned>(_mm_movemask_pd(_mm_castsi128_pd(value)));
}
template <auto F, unsigned bits_per_lane>
constexpr auto sign_mask = []<unsigned n>(Lanes<n>) {
    return always([](VCPU& cpu, const Op* op) {
        if (!avx_available(cpu, op)) [[unlikely]]
            return;
        const YMM value = ymm(cpu, op->rm);
        const unsigned high = n == 2 ? F(value.high) << bits_per_lane : 0;
        register_at<u64>(cpu, op->reg) = F(value.low) | high;
        return next(cpu, op);
    });
};

}  // namespace

BOTH_LENGTHS(VMOVUPS_Vx_Wx, load_row<Alignment::kNone>);
BOTH_LENGTHS(VMOVUPD_Vx_Wx, load_row<Alignment::kNone>);
BOTH_LENGTHS(VMOVDQU_Vx_Wx, load_row<Alignment::kNone>);
BOTH_LENGTHS(VLDDQU_Vx_Mx, load_row<Alignment::kNone>);
BOTH_LENGTHS(VMOVAPS_Vx_Wx, load_row<Alignment::kNatural>);
BOTH_LENGTHS(VMOVAPD_Vx_Wx, load_row<Alignment::kNatural>);
BOTH_LENGTHS(VMOVDQA_Vx_Wx, load_row<Alignment::kNatural>);
BOTH_LENGTHS(VMOVNTDQA_Vx_Mx, load_row<Alignment::kNatural>);
BOTH_LENGTHS(VMOVUPS_Wx_Vx, store_row<Alignment::kNone>);
BOTH_LENGTHS(VMOVUPD_Wx_Vx, store_row<Alignment::kNone>);
BOTH_LENGTHS(VMOVDQU_Wx_Vx, store_row<Alignment::kNone>);
BOTH_LENGTHS(VMOVAPS_Wx_Vx, store_row<Alignment::kNatural>);
BOTH_LENGTHS(VMOVAPD_Wx_Vx, store_row<Alignment::kNatural>);
BOTH_LENGTHS(VMOVDQA_Wx_Vx, store_row<Alignment::kNatural>);
BOTH_LENGTHS(VMOVNTPS_Mx_Vx, store_row<Alignment::kNatural>);
BOTH_LENGTHS(VMOVNTPD_Mx_Vx, store_row<Alignment::kNatural>);
BOTH_LENGTHS(VMOVNTDQ_Mx_Vx, store_row<Alignment::kNatural>);

const HandlerSet VMOVSS_Vss_Md = always(ymm_memory<unchanged, 4>);
const HandlerSet VMOVSD_Vsd_Mq = always(ymm_memory<unchanged, 8>);
const HandlerSet VMOVSS_Vss_Hss_Uss = always(ymm_register<by_lane<low_single, 1>>);
const HandlerSet VMOVSD_Vsd_Hsd_Usd = always(ymm_register<by_lane<low_double, 1>>);
const HandlerSet VMOVSS_Md_Vss = always(store_form<4, Alignment::kNone>);
const HandlerSet VMOVSD_Mq_Vsd = store_low_half;
const HandlerSet VMOVSS_Uss_Hss_Vss = always(scalar_to_register<low_single>);
const HandlerSet VMOVSD_Usd_Hsd_Vsd = always(scalar_to_register<low_double>);
const HandlerSet VMOVQ_Vq_Wq = by_form(ymm_register<extended<8>>, ymm_memory<unchanged, 8>);
const HandlerSet VMOVQ_Wq_Vq = by_form(to_register<8>, store_form<8, Alignment::kNone>);
const HandlerSet VMOVD_Vdq_Ey = sse::by_width(from_general<u32>, from_general<u64>,
                                              ymm_memory<unchanged, 4>, ymm_memory<unchanged, 8>);
const HandlerSet VMOVD_Ey_Vdq =
    sse::by_width(to_general<u32>, to_general<u64>, store_form<4, Alignment::kNone>,
                  store_form<8, Alignment::kNone>);

const HandlerSet VMOVLPS_Vq_Hq_Mq = load_low_half;
const HandlerSet VMOVLPD_Vq_Hq_Mq = load_low_half;
const HandlerSet VMOVHPS_Vq_Hq_Mq = load_high_half;
const HandlerSet VMOVHPD_Vq_Hq_Mq = load_high_half;
const HandlerSet VMOVLPS_Mq_Vq = store_low_half;
const HandlerSet VMOVLPD_Mq_Vq = store_low_half;
const HandlerSet VMOVHPS_Mq_Vq = store_high_half;
const HandlerSet VMOVHPD_Mq_Vq = store_high_half;
const HandlerSet VMOVHLPS_Vq_Hq_Uq = always(ymm_register<by_lane<high_to_low, 1>>);
const HandlerSet VMOVLHPS_Vq_Hq_Uq = always(ymm_register<by_lane<low_to_high, 1>>);
const HandlerSet VMOVDDUP_Vx_Wx_128 = scalar<duplicate_low, 8>();
const HandlerSet VMOVDDUP_Vx_Wx_256 = packed<duplicate_low>(kTwoLanes);
BOTH_LENGTHS(VMOVSLDUP_Vx_Wx, packed<duplicate_even>);
BOTH_LENGTHS(VMOVSHDUP_Vx_Wx, packed<duplicate_odd>);
BOTH_LENGTHS(VMOVMSKPS_Gd_Ux, sign_mask<signs_of_singles, 4>);
BOTH_LENGTHS(VMOVMSKPD_Gd_Ux, sign_mask<signs_of_doubles, 2>);

}  // namespace uchronia::cpu::interp::handler
