// AES rounds and carry-less multiplication (APM vol. 4, "AES Instructions", PCLMULQDQ). The host
// has both (baseline), and their results are defined to the bit.
#include <wmmintrin.h>

#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

const HandlerSet AESENC_Vdq_Wdq = vx_wx<_mm_aesenc_si128>();
const HandlerSet AESENCLAST_Vdq_Wdq = vx_wx<_mm_aesenclast_si128>();
const HandlerSet AESDEC_Vdq_Wdq = vx_wx<_mm_aesdec_si128>();
const HandlerSet AESDECLAST_Vdq_Wdq = vx_wx<_mm_aesdeclast_si128>();
const HandlerSet AESIMC_Vdq_Wdq = vx_wx<_mm_aesimc_si128>();

// The round constant is only XORed into doublewords 1 and 3, so it can be added afterwards.
const HandlerSet AESKEYGENASSIST_Vdq_Wdq_Ib = vx_wx<[](__m128i, __m128i source, u8 immediate) {
    const __m128i constant = _mm_set_epi32(immediate, 0, immediate, 0);
    return _mm_xor_si128(_mm_aeskeygenassist_si128(source, 0), constant);
}>();

// Immediate bits 0 and 4 choose the half of the first and of the second operand.
const HandlerSet PCLMULQDQ_Vdq_Wdq_Ib = vx_wx<[](__m128i a, __m128i b, u8 immediate) {
    const __m128i first = (immediate & 1) != 0 ? _mm_unpackhi_epi64(a, a) : a;
    const __m128i second_half = (immediate & 16) != 0 ? _mm_unpackhi_epi64(b, b) : b;
    return _mm_clmulepi64_si128(first, second_half, 0);
}>();

}  // namespace uchronia::cpu::interp::handler
