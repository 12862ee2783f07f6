// AES rounds and carry-less multiplication (APM vol. 4, "AES Instructions", PCLMULQDQ). The host
// has both (baseline), and their results are defined to the bit.
#include "cpu/interp/sse/aes_operations.h"
#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

const HandlerSet AESENC_Vdq_Wdq = vx_wx<_mm_aesenc_si128>();
const HandlerSet AESENCLAST_Vdq_Wdq = vx_wx<_mm_aesenclast_si128>();
const HandlerSet AESDEC_Vdq_Wdq = vx_wx<_mm_aesdec_si128>();
const HandlerSet AESDECLAST_Vdq_Wdq = vx_wx<_mm_aesdeclast_si128>();
const HandlerSet AESIMC_Vdq_Wdq = vx_wx<_mm_aesimc_si128>();
const HandlerSet AESKEYGENASSIST_Vdq_Wdq_Ib = vx_wx<assist_key>();
const HandlerSet PCLMULQDQ_Vdq_Wdq_Ib = vx_wx<multiply_carryless>();

}  // namespace uchronia::cpu::interp::handler
