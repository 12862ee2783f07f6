// Blends: elements of the source where a mask bit is set, else of the destination. The mask is in
// an immediate, or in the sign bits of XMM0.
#include <smmintrin.h>

#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

// Element i of the result is all ones if bit i of `immediate` is set.
__m128i word_mask(u8 immediate) {
    const __m128i bits = _mm_set_epi16(128, 64, 32, 16, 8, 4, 2, 1);
    return _mm_cmpeq_epi16(_mm_and_si128(_mm_set1_epi16(immediate), bits), bits);
}
__m128i dword_mask(u8 immediate) {
    const __m128i bits = _mm_set_epi32(8, 4, 2, 1);
    return _mm_cmpeq_epi32(_mm_and_si128(_mm_set1_epi32(immediate), bits), bits);
}
__m128i qword_mask(u8 immediate) {
    const __m128i bits = _mm_set_epi64x(2, 1);
    return _mm_cmpeq_epi64(_mm_and_si128(_mm_set1_epi64x(immediate), bits), bits);
}

__m128i blend_bytes(__m128i a, __m128i b, __m128i mask) {
    return _mm_blendv_epi8(a, b, mask);
}
__m128i blend_singles(__m128i a, __m128i b, __m128i mask) {
    return _mm_blendv_epi8(a, b, _mm_srai_epi32(mask, 31));
}
__m128i blend_doubles(__m128i a, __m128i b, __m128i mask) {
    return _mm_blendv_epi8(a, b, _mm_shuffle_epi32(_mm_srai_epi32(mask, 31), 0xf5));
}

template <auto F>
void blend_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    set_xmm(cpu, op->reg, F(xmm(cpu, op->reg), xmm(cpu, op->rm), xmm(cpu, 0)));
    return next(cpu, op);
}
template <auto F>
void blend_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<Width::kAligned>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    set_xmm(cpu, op->reg, F(xmm(cpu, op->reg), source.value, xmm(cpu, 0)));
    return next(cpu, op);
}

}  // namespace

const HandlerSet PBLENDVB_Vdq_Wdq_XMM0 =
    by_form(blend_register<blend_bytes>, blend_memory<blend_bytes>);
const HandlerSet BLENDVPS_Vps_Wps_XMM0 =
    by_form(blend_register<blend_singles>, blend_memory<blend_singles>);
const HandlerSet BLENDVPD_Vpd_Wpd_XMM0 =
    by_form(blend_register<blend_doubles>, blend_memory<blend_doubles>);
const HandlerSet PBLENDW_Vdq_Wdq_Ib = vx_wx<[](__m128i a, __m128i b, u8 immediate) {
    return _mm_blendv_epi8(a, b, word_mask(immediate));
}>();
const HandlerSet BLENDPS_Vps_Wps_Ib = vx_wx<[](__m128i a, __m128i b, u8 immediate) {
    return _mm_blendv_epi8(a, b, dword_mask(immediate));
}>();
const HandlerSet BLENDPD_Vpd_Wpd_Ib = vx_wx<[](__m128i a, __m128i b, u8 immediate) {
    return _mm_blendv_epi8(a, b, qword_mask(immediate));
}>();

}  // namespace uchronia::cpu::interp::handler
