// Packed comparison, VPTEST and the sign mask.
#include <nmmintrin.h>

#include "cpu/interp/avx_integer/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_integer;

namespace {

// ZF: the source has no bit in common with the first operand; CF: none outside of it.
template <Length length, Form form>
void test(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedYMM source = rm_operand<kSize<length>, form>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    const YMM first = ymm(cpu, op->reg), second = source.value;
    bool common_none = _mm_testz_si128(first.low, second.low) != 0;
    bool outside_none = _mm_testc_si128(first.low, second.low) != 0;
    if constexpr (length == k256) {
        common_none &= _mm_testz_si128(first.high, second.high) != 0;
        outside_none &= _mm_testc_si128(first.high, second.high) != 0;
    }
    const u32 bits = ArithmeticFlags::kFixed | (common_none ? ArithmeticFlags::kZF : 0u) |
                     (outside_none ? ArithmeticFlags::kCF : 0u);
    cpu.state.flags = {static_cast<u16>(bits)};
    return next(cpu, op);
}

template <Length length>
void sign_mask_to_general(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const YMM source = ymm<length>(cpu, op->rm);
    const u32 low = static_cast<u32>(_mm_movemask_epi8(source.low));
    const u32 high = static_cast<u32>(_mm_movemask_epi8(source.high));
    set_register(cpu, op->reg, high << 16 | low);
    return next(cpu, op);
}

}  // namespace

const HandlerSet VPCMPEQB_Vx_Hx_Wx_128 = lanes<_mm_cmpeq_epi8, k128>();
const HandlerSet VPCMPEQB_Vx_Hx_Wx_256 = lanes<_mm_cmpeq_epi8, k256>();
const HandlerSet VPCMPEQW_Vx_Hx_Wx_128 = lanes<_mm_cmpeq_epi16, k128>();
const HandlerSet VPCMPEQW_Vx_Hx_Wx_256 = lanes<_mm_cmpeq_epi16, k256>();
const HandlerSet VPCMPEQD_Vx_Hx_Wx_128 = lanes<_mm_cmpeq_epi32, k128>();
const HandlerSet VPCMPEQD_Vx_Hx_Wx_256 = lanes<_mm_cmpeq_epi32, k256>();
const HandlerSet VPCMPEQQ_Vx_Hx_Wx_128 = lanes<_mm_cmpeq_epi64, k128>();
const HandlerSet VPCMPEQQ_Vx_Hx_Wx_256 = lanes<_mm_cmpeq_epi64, k256>();
const HandlerSet VPCMPGTB_Vx_Hx_Wx_128 = lanes<_mm_cmpgt_epi8, k128>();
const HandlerSet VPCMPGTB_Vx_Hx_Wx_256 = lanes<_mm_cmpgt_epi8, k256>();
const HandlerSet VPCMPGTW_Vx_Hx_Wx_128 = lanes<_mm_cmpgt_epi16, k128>();
const HandlerSet VPCMPGTW_Vx_Hx_Wx_256 = lanes<_mm_cmpgt_epi16, k256>();
const HandlerSet VPCMPGTD_Vx_Hx_Wx_128 = lanes<_mm_cmpgt_epi32, k128>();
const HandlerSet VPCMPGTD_Vx_Hx_Wx_256 = lanes<_mm_cmpgt_epi32, k256>();
const HandlerSet VPCMPGTQ_Vx_Hx_Wx_128 = lanes<_mm_cmpgt_epi64, k128>();
const HandlerSet VPCMPGTQ_Vx_Hx_Wx_256 = lanes<_mm_cmpgt_epi64, k256>();

const HandlerSet VPTEST_Vx_Wx_128 = by_form(test<k128, Form::kRegister>, test<k128, Form::kMemory>);
const HandlerSet VPTEST_Vx_Wx_256 = by_form(test<k256, Form::kRegister>, test<k256, Form::kMemory>);
const HandlerSet VPMOVMSKB_Gd_Ux_128 = always(sign_mask_to_general<k128>);
const HandlerSet VPMOVMSKB_Gd_Ux_256 = always(sign_mask_to_general<k256>);

}  // namespace uchronia::cpu::interp::handler
