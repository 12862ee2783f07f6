// Packed integer comparison, PTEST and the sign masks.
#include <nmmintrin.h>

#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

const HandlerSet PCMPEQB_Pq_Qq = pq_qq<_mm_cmpeq_epi8>();
const HandlerSet PCMPEQB_Vx_Wx = vx_wx<_mm_cmpeq_epi8>();
const HandlerSet PCMPEQW_Pq_Qq = pq_qq<_mm_cmpeq_epi16>();
const HandlerSet PCMPEQW_Vx_Wx = vx_wx<_mm_cmpeq_epi16>();
const HandlerSet PCMPEQD_Pq_Qq = pq_qq<_mm_cmpeq_epi32>();
const HandlerSet PCMPEQD_Vx_Wx = vx_wx<_mm_cmpeq_epi32>();
const HandlerSet PCMPGTB_Pq_Qq = pq_qq<_mm_cmpgt_epi8>();
const HandlerSet PCMPGTB_Vx_Wx = vx_wx<_mm_cmpgt_epi8>();
const HandlerSet PCMPGTW_Pq_Qq = pq_qq<_mm_cmpgt_epi16>();
const HandlerSet PCMPGTW_Vx_Wx = vx_wx<_mm_cmpgt_epi16>();
const HandlerSet PCMPGTD_Pq_Qq = pq_qq<_mm_cmpgt_epi32>();
const HandlerSet PCMPGTD_Vx_Wx = vx_wx<_mm_cmpgt_epi32>();
const HandlerSet PCMPEQQ_Vx_Wx = vx_wx<_mm_cmpeq_epi64>();
const HandlerSet PCMPGTQ_Vx_Wx = vx_wx<_mm_cmpgt_epi64>();

namespace {

// ZF: the source has no bit in common with the destination; CF: none outside of it.
ArithmeticFlags test_flags(__m128i destination, __m128i source) {
    u16 bits = ArithmeticFlags::kFixed;
    if (_mm_testz_si128(destination, source) != 0)
        bits |= ArithmeticFlags::kZF;
    if (_mm_testc_si128(destination, source) != 0)
        bits |= ArithmeticFlags::kCF;
    return {bits};
}

void ptest_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    cpu.state.flags = test_flags(xmm(cpu, op->reg), xmm(cpu, op->rm));
    return next(cpu, op);
}

void ptest_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<Width::kAligned>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    cpu.state.flags = test_flags(xmm(cpu, op->reg), source.value);
    return next(cpu, op);
}

// A general register from the signs of an XMM register's elements.
template <auto F>
void sign_mask(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    set_register(cpu, op->reg, static_cast<u32>(F(xmm(cpu, op->rm))));
    return next(cpu, op);
}

void sign_mask_mmx(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    const u32 mask = static_cast<u32>(_mm_movemask_epi8(mmx_vector(cpu, op->rm)));
    enter_mmx(cpu);
    set_register(cpu, op->reg, mask);
    return next(cpu, op);
}

int sign_mask_single(__m128i value) {
    return _mm_movemask_ps(_mm_castsi128_ps(value));
}
int sign_mask_double(__m128i value) {
    return _mm_movemask_pd(_mm_castsi128_pd(value));
}

}  // namespace

const HandlerSet PTEST_Vx_Wx = by_form(ptest_register, ptest_memory);
const HandlerSet PMOVMSKB_Gd_Nq = always(sign_mask_mmx);
const HandlerSet PMOVMSKB_Gd_Udq = always(sign_mask<_mm_movemask_epi8>);
const HandlerSet MOVMSKPS_Gd_Ups = always(sign_mask<sign_mask_single>);
const HandlerSet MOVMSKPD_Gd_Upd = always(sign_mask<sign_mask_double>);

}  // namespace uchronia::cpu::interp::handler
