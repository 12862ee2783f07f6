// Moves of vector registers: whole, halves, scalars, with duplication, non-temporal, masked.
// Non-temporal hints have no effect that a program can see.
#include <pmmintrin.h>

#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

constexpr auto whole = second;

template <Width width>
void store_form(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op) || !store<width>(cpu, op, xmm(cpu, op->reg))) [[unlikely]]
        return;
    return next(cpu, op);
}

// The register form of a store: the destination is ModRM.rm.
template <auto F>
void to_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    set_xmm(cpu, op->rm, F(xmm(cpu, op->rm), xmm(cpu, op->reg)));
    return next(cpu, op);
}

void store_high_half(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const u64 value = xmm_element<u64>(cpu, op->reg, 1);
    if (!write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), value)) [[unlikely]]
        return;
    return next(cpu, op);
}

constexpr auto low_single = [](__m128i a, __m128i b) {
    return _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(a), _mm_castsi128_ps(b)));
};
constexpr auto low_double = [](__m128i a, __m128i b) { return merge_halves(b, a); };
constexpr auto low_zero_extended = [](__m128i, __m128i b) { return _mm_move_epi64(b); };
constexpr auto low_to_high = [](__m128i a, __m128i b) { return _mm_unpacklo_epi64(a, b); };
constexpr auto high_to_low = [](__m128i a, __m128i b) {
    return merge_halves(_mm_unpackhi_epi64(b, b), a);
};
constexpr auto duplicate_low = [](__m128i, __m128i b) { return _mm_unpacklo_epi64(b, b); };
constexpr auto duplicate_even = [](__m128i, __m128i b) { return _mm_shuffle_epi32(b, 0xa0); };
constexpr auto duplicate_odd = [](__m128i, __m128i b) { return _mm_shuffle_epi32(b, 0xf5); };

constexpr HandlerSet load_aligned = vx_wx<whole>();
constexpr HandlerSet load_unaligned = vx_wx<whole, Width::kUnaligned>();
constexpr HandlerSet store_aligned = by_form(to_register<whole>, store_form<Width::kAligned>);
constexpr HandlerSet store_unaligned = by_form(to_register<whole>, store_form<Width::kUnaligned>);
constexpr HandlerSet store_low_half = always(store_form<Width::kQword>);
constexpr HandlerSet load_low_half = vx_wx<low_double, Width::kQword>();
constexpr HandlerSet load_high_half = vx_wx<low_to_high, Width::kQword>();

template <class T>
void from_general(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    set_xmm(cpu, op->reg, _mm_cvtsi64_si128(static_cast<i64>(register_at<T>(cpu, op->rm))));
    return next(cpu, op);
}
template <class T>
void to_general(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    set_register(cpu, op->rm, xmm_element<T>(cpu, op->reg, 0));
    return next(cpu, op);
}

}  // namespace

const HandlerSet MOVUPS_Vps_Wps = load_unaligned;
const HandlerSet MOVUPD_Vpd_Wpd = load_unaligned;
const HandlerSet MOVDQU_Vdq_Wdq = load_unaligned;
const HandlerSet LDDQU_Vdq_Mdq = load_unaligned;
const HandlerSet MOVAPS_Vps_Wps = load_aligned;
const HandlerSet MOVAPD_Vpd_Wpd = load_aligned;
const HandlerSet MOVDQA_Vdq_Wdq = load_aligned;
const HandlerSet MOVNTDQA_Vdq_Mdq = load_aligned;
const HandlerSet MOVUPS_Wps_Vps = store_unaligned;
const HandlerSet MOVUPD_Wpd_Vpd = store_unaligned;
const HandlerSet MOVDQU_Wdq_Vdq = store_unaligned;
const HandlerSet MOVAPS_Wps_Vps = store_aligned;
const HandlerSet MOVAPD_Wpd_Vpd = store_aligned;
const HandlerSet MOVDQA_Wdq_Vdq = store_aligned;
const HandlerSet MOVNTPS_Mps_Vps = store_aligned;
const HandlerSet MOVNTPD_Mpd_Vpd = store_aligned;
const HandlerSet MOVNTDQ_Mdq_Vdq = store_aligned;

// Scalars: a register source is merged, a memory source zero-extended.
const HandlerSet MOVSS_Vss_Wss =
    by_form(xmm_register_form<low_single>, xmm_memory_form<whole, Width::kDword>);
const HandlerSet MOVSD_Vsd_Wsd =
    by_form(xmm_register_form<low_double>, xmm_memory_form<whole, Width::kQword>);
const HandlerSet MOVSS_Wss_Vss = by_form(to_register<low_single>, store_form<Width::kDword>);
const HandlerSet MOVSD_Wsd_Vsd = by_form(to_register<low_double>, store_form<Width::kQword>);
const HandlerSet MOVQ_Vq_Wq = vx_wx<low_zero_extended, Width::kQword>();
const HandlerSet MOVQ_Wq_Vq = by_form(to_register<low_zero_extended>, store_form<Width::kQword>);
const HandlerSet MOVD_Vdq_Ey =
    by_width(from_general<u32>, from_general<u64>, xmm_memory_form<whole, Width::kDword>,
             xmm_memory_form<whole, Width::kQword>);
const HandlerSet MOVD_Ey_Vdq = by_width(to_general<u32>, to_general<u64>, store_form<Width::kDword>,
                                        store_form<Width::kQword>);

const HandlerSet MOVLPS_Vq_Mq = load_low_half;
const HandlerSet MOVLPD_Vq_Mq = load_low_half;
const HandlerSet MOVHPS_Vq_Mq = load_high_half;
const HandlerSet MOVHPD_Vq_Mq = load_high_half;
const HandlerSet MOVLPS_Mq_Vq = store_low_half;
const HandlerSet MOVLPD_Mq_Vq = store_low_half;
const HandlerSet MOVHPS_Mq_Vq = always(store_high_half);
const HandlerSet MOVHPD_Mq_Vq = always(store_high_half);
const HandlerSet MOVHLPS_Vq_Uq = vx_wx<high_to_low>();
const HandlerSet MOVLHPS_Vq_Uq = vx_wx<low_to_high>();
const HandlerSet MOVDDUP_Vpd_Wq = vx_wx<duplicate_low, Width::kQword>();
const HandlerSet MOVSLDUP_Vps_Wps = vx_wx<duplicate_even>();
const HandlerSet MOVSHDUP_Vps_Wps = vx_wx<duplicate_odd>();

}  // namespace uchronia::cpu::interp::handler
