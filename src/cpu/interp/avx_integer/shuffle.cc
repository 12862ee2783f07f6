// Rearranging elements within lanes: shuffles, unpacking, packing, byte alignment, blends;
// widening.
#include <smmintrin.h>

#include "cpu/interp/avx_integer/forms.h"
#include "cpu/interp/sse/blend_operations.h"
#include "cpu/interp/sse/shuffle_operations.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_integer;

namespace {

// The bits of the immediate go on from the low lane to the high one.
template <Length length>
constexpr auto choose_dwords = [](YMM a, YMM b, u8 immediate) {
    const u8 high = static_cast<u8>(immediate >> 4);
    return YMM{sse::choose_dwords(a.low, b.low, immediate),
               sse::choose_dwords(a.high, b.high, high)};
};

// The mask is the register in the immediate.
template <Length length, Form form>
void blend_by_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedYMM source = rm_operand<kSize<length>, form>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    const YMM first = ymm<length>(cpu, vex_vvvv(op)), mask = ymm<length>(cpu, vex_is4(op));
    set_ymm<length>(cpu, op->reg,
                    {sse::blend_bytes(first.low, source.value.low, mask.low),
                     sse::blend_bytes(first.high, source.value.high, mask.high)});
    return next(cpu, op);
}

}  // namespace

const HandlerSet VPSHUFB_Vx_Hx_Wx_128 = lanes<_mm_shuffle_epi8, k128>();
const HandlerSet VPSHUFB_Vx_Hx_Wx_256 = lanes<_mm_shuffle_epi8, k256>();
const HandlerSet VPSHUFD_Vx_Wx_Ib_128 = lanes<sse::shuffle_dwords, k128>();
const HandlerSet VPSHUFD_Vx_Wx_Ib_256 = lanes<sse::shuffle_dwords, k256>();
const HandlerSet VPSHUFHW_Vx_Wx_Ib_128 = lanes<sse::shuffle_high_words, k128>();
const HandlerSet VPSHUFHW_Vx_Wx_Ib_256 = lanes<sse::shuffle_high_words, k256>();
const HandlerSet VPSHUFLW_Vx_Wx_Ib_128 = lanes<sse::shuffle_low_words, k128>();
const HandlerSet VPSHUFLW_Vx_Wx_Ib_256 = lanes<sse::shuffle_low_words, k256>();
const HandlerSet VPALIGNR_Vx_Hx_Wx_Ib_128 = lanes<sse::align_bytes, k128>();
const HandlerSet VPALIGNR_Vx_Hx_Wx_Ib_256 = lanes<sse::align_bytes, k256>();
const HandlerSet VPBLENDW_Vx_Hx_Wx_Ib_128 = lanes<sse::choose_words, k128>();
const HandlerSet VPBLENDW_Vx_Hx_Wx_Ib_256 = lanes<sse::choose_words, k256>();
const HandlerSet VPBLENDD_Vx_Hx_Wx_Ib_128 = whole<choose_dwords<k128>, k128>();
const HandlerSet VPBLENDD_Vx_Hx_Wx_Ib_256 = whole<choose_dwords<k256>, k256>();
const HandlerSet VPBLENDVB_Vx_Hx_Wx_Lx_128 =
    by_form(blend_by_register<k128, Form::kRegister>, blend_by_register<k128, Form::kMemory>);
const HandlerSet VPBLENDVB_Vx_Hx_Wx_Lx_256 =
    by_form(blend_by_register<k256, Form::kRegister>, blend_by_register<k256, Form::kMemory>);

const HandlerSet VPUNPCKLBW_Vx_Hx_Wx_128 = lanes<_mm_unpacklo_epi8, k128>();
const HandlerSet VPUNPCKLBW_Vx_Hx_Wx_256 = lanes<_mm_unpacklo_epi8, k256>();
const HandlerSet VPUNPCKLWD_Vx_Hx_Wx_128 = lanes<_mm_unpacklo_epi16, k128>();
const HandlerSet VPUNPCKLWD_Vx_Hx_Wx_256 = lanes<_mm_unpacklo_epi16, k256>();
const HandlerSet VPUNPCKLDQ_Vx_Hx_Wx_128 = lanes<_mm_unpacklo_epi32, k128>();
const HandlerSet VPUNPCKLDQ_Vx_Hx_Wx_256 = lanes<_mm_unpacklo_epi32, k256>();
const HandlerSet VPUNPCKLQDQ_Vx_Hx_Wx_128 = lanes<_mm_unpacklo_epi64, k128>();
const HandlerSet VPUNPCKLQDQ_Vx_Hx_Wx_256 = lanes<_mm_unpacklo_epi64, k256>();
const HandlerSet VPUNPCKHBW_Vx_Hx_Wx_128 = lanes<_mm_unpackhi_epi8, k128>();
const HandlerSet VPUNPCKHBW_Vx_Hx_Wx_256 = lanes<_mm_unpackhi_epi8, k256>();
const HandlerSet VPUNPCKHWD_Vx_Hx_Wx_128 = lanes<_mm_unpackhi_epi16, k128>();
const HandlerSet VPUNPCKHWD_Vx_Hx_Wx_256 = lanes<_mm_unpackhi_epi16, k256>();
const HandlerSet VPUNPCKHDQ_Vx_Hx_Wx_128 = lanes<_mm_unpackhi_epi32, k128>();
const HandlerSet VPUNPCKHDQ_Vx_Hx_Wx_256 = lanes<_mm_unpackhi_epi32, k256>();
const HandlerSet VPUNPCKHQDQ_Vx_Hx_Wx_128 = lanes<_mm_unpackhi_epi64, k128>();
const HandlerSet VPUNPCKHQDQ_Vx_Hx_Wx_256 = lanes<_mm_unpackhi_epi64, k256>();
const HandlerSet VPACKSSWB_Vx_Hx_Wx_128 = lanes<_mm_packs_epi16, k128>();
const HandlerSet VPACKSSWB_Vx_Hx_Wx_256 = lanes<_mm_packs_epi16, k256>();
const HandlerSet VPACKSSDW_Vx_Hx_Wx_128 = lanes<_mm_packs_epi32, k128>();
const HandlerSet VPACKSSDW_Vx_Hx_Wx_256 = lanes<_mm_packs_epi32, k256>();
const HandlerSet VPACKUSWB_Vx_Hx_Wx_128 = lanes<_mm_packus_epi16, k128>();
const HandlerSet VPACKUSWB_Vx_Hx_Wx_256 = lanes<_mm_packus_epi16, k256>();
const HandlerSet VPACKUSDW_Vx_Hx_Wx_128 = lanes<_mm_packus_epi32, k128>();
const HandlerSet VPACKUSDW_Vx_Hx_Wx_256 = lanes<_mm_packus_epi32, k256>();

const HandlerSet VPMOVSXBW_Vdq_Wq_128 = widened<_mm_cvtepi8_epi16, k128, 8>();
const HandlerSet VPMOVSXBW_Vqq_Wdq_256 = widened<_mm_cvtepi8_epi16, k256, 8>();
const HandlerSet VPMOVSXBD_Vdq_Wd_128 = widened<_mm_cvtepi8_epi32, k128, 4>();
const HandlerSet VPMOVSXBD_Vqq_Wq_256 = widened<_mm_cvtepi8_epi32, k256, 4>();
const HandlerSet VPMOVSXBQ_Vdq_Ww_128 = widened<_mm_cvtepi8_epi64, k128, 2>();
const HandlerSet VPMOVSXBQ_Vqq_Wd_256 = widened<_mm_cvtepi8_epi64, k256, 2>();
const HandlerSet VPMOVSXWD_Vdq_Wq_128 = widened<_mm_cvtepi16_epi32, k128, 8>();
const HandlerSet VPMOVSXWD_Vqq_Wdq_256 = widened<_mm_cvtepi16_epi32, k256, 8>();
const HandlerSet VPMOVSXWQ_Vdq_Wd_128 = widened<_mm_cvtepi16_epi64, k128, 4>();
const HandlerSet VPMOVSXWQ_Vqq_Wq_256 = widened<_mm_cvtepi16_epi64, k256, 4>();
const HandlerSet VPMOVSXDQ_Vdq_Wq_128 = widened<_mm_cvtepi32_epi64, k128, 8>();
const HandlerSet VPMOVSXDQ_Vqq_Wdq_256 = widened<_mm_cvtepi32_epi64, k256, 8>();
const HandlerSet VPMOVZXBW_Vdq_Wq_128 = widened<_mm_cvtepu8_epi16, k128, 8>();
const HandlerSet VPMOVZXBW_Vqq_Wdq_256 = widened<_mm_cvtepu8_epi16, k256, 8>();
const HandlerSet VPMOVZXBD_Vdq_Wd_128 = widened<_mm_cvtepu8_epi32, k128, 4>();
const HandlerSet VPMOVZXBD_Vqq_Wq_256 = widened<_mm_cvtepu8_epi32, k256, 4>();
const HandlerSet VPMOVZXBQ_Vdq_Ww_128 = widened<_mm_cvtepu8_epi64, k128, 2>();
const HandlerSet VPMOVZXBQ_Vqq_Wd_256 = widened<_mm_cvtepu8_epi64, k256, 2>();
const HandlerSet VPMOVZXWD_Vdq_Wq_128 = widened<_mm_cvtepu16_epi32, k128, 8>();
const HandlerSet VPMOVZXWD_Vqq_Wdq_256 = widened<_mm_cvtepu16_epi32, k256, 8>();
const HandlerSet VPMOVZXWQ_Vdq_Wd_128 = widened<_mm_cvtepu16_epi64, k128, 4>();
const HandlerSet VPMOVZXWQ_Vqq_Wq_256 = widened<_mm_cvtepu16_epi64, k256, 4>();
const HandlerSet VPMOVZXDQ_Vdq_Wq_128 = widened<_mm_cvtepu32_epi64, k128, 8>();
const HandlerSet VPMOVZXDQ_Vqq_Wdq_256 = widened<_mm_cvtepu32_epi64, k256, 8>();

}  // namespace uchronia::cpu::interp::handler
