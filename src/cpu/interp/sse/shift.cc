// Packed shifts: by the low 64 bits of a register or memory operand, by an immediate, by bytes.
// Counts above the element width give zero, or all signs.
#include "cpu/interp/sse/forms.h"
#include "cpu/interp/sse/shift_operations.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

const HandlerSet PSRLW_Pq_Qq = pq_qq<_mm_srl_epi16>();
const HandlerSet PSRLW_Vx_Wx = vx_wx<_mm_srl_epi16>();
const HandlerSet PSRLW_Nq_Ib = nq_ib<by_immediate<_mm_srl_epi16>>();
const HandlerSet PSRLW_Ux_Ib = ux_ib<by_immediate<_mm_srl_epi16>>();
const HandlerSet PSRLD_Pq_Qq = pq_qq<_mm_srl_epi32>();
const HandlerSet PSRLD_Vx_Wx = vx_wx<_mm_srl_epi32>();
const HandlerSet PSRLD_Nq_Ib = nq_ib<by_immediate<_mm_srl_epi32>>();
const HandlerSet PSRLD_Ux_Ib = ux_ib<by_immediate<_mm_srl_epi32>>();
const HandlerSet PSRLQ_Pq_Qq = pq_qq<_mm_srl_epi64>();
const HandlerSet PSRLQ_Vx_Wx = vx_wx<_mm_srl_epi64>();
const HandlerSet PSRLQ_Nq_Ib = nq_ib<by_immediate<_mm_srl_epi64>>();
const HandlerSet PSRLQ_Ux_Ib = ux_ib<by_immediate<_mm_srl_epi64>>();
const HandlerSet PSRAW_Pq_Qq = pq_qq<_mm_sra_epi16>();
const HandlerSet PSRAW_Vx_Wx = vx_wx<_mm_sra_epi16>();
const HandlerSet PSRAW_Nq_Ib = nq_ib<by_immediate<_mm_sra_epi16>>();
const HandlerSet PSRAW_Ux_Ib = ux_ib<by_immediate<_mm_sra_epi16>>();
const HandlerSet PSRAD_Pq_Qq = pq_qq<_mm_sra_epi32>();
const HandlerSet PSRAD_Vx_Wx = vx_wx<_mm_sra_epi32>();
const HandlerSet PSRAD_Nq_Ib = nq_ib<by_immediate<_mm_sra_epi32>>();
const HandlerSet PSRAD_Ux_Ib = ux_ib<by_immediate<_mm_sra_epi32>>();
const HandlerSet PSLLW_Pq_Qq = pq_qq<_mm_sll_epi16>();
const HandlerSet PSLLW_Vx_Wx = vx_wx<_mm_sll_epi16>();
const HandlerSet PSLLW_Nq_Ib = nq_ib<by_immediate<_mm_sll_epi16>>();
const HandlerSet PSLLW_Ux_Ib = ux_ib<by_immediate<_mm_sll_epi16>>();
const HandlerSet PSLLD_Pq_Qq = pq_qq<_mm_sll_epi32>();
const HandlerSet PSLLD_Vx_Wx = vx_wx<_mm_sll_epi32>();
const HandlerSet PSLLD_Nq_Ib = nq_ib<by_immediate<_mm_sll_epi32>>();
const HandlerSet PSLLD_Ux_Ib = ux_ib<by_immediate<_mm_sll_epi32>>();
const HandlerSet PSLLQ_Pq_Qq = pq_qq<_mm_sll_epi64>();
const HandlerSet PSLLQ_Vx_Wx = vx_wx<_mm_sll_epi64>();
const HandlerSet PSLLQ_Nq_Ib = nq_ib<by_immediate<_mm_sll_epi64>>();
const HandlerSet PSLLQ_Ux_Ib = ux_ib<by_immediate<_mm_sll_epi64>>();
const HandlerSet PSRLDQ_Udq_Ib = ux_ib<right_bytes>();
const HandlerSet PSLLDQ_Udq_Ib = ux_ib<left_bytes>();

}  // namespace uchronia::cpu::interp::handler
