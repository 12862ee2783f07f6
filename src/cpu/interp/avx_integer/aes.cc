// AES rounds and carry-less multiplication with VEX.128.
#include "cpu/interp/avx_integer/forms.h"
#include "cpu/interp/sse/aes_operations.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_integer;

const HandlerSet VAESIMC_Vdq_Wdq = lanes<_mm_aesimc_si128, k128>();
const HandlerSet VAESENC_Vdq_Hdq_Wdq = lanes<_mm_aesenc_si128, k128>();
const HandlerSet VAESENCLAST_Vdq_Hdq_Wdq = lanes<_mm_aesenclast_si128, k128>();
const HandlerSet VAESDEC_Vdq_Hdq_Wdq = lanes<_mm_aesdec_si128, k128>();
const HandlerSet VAESDECLAST_Vdq_Hdq_Wdq = lanes<_mm_aesdeclast_si128, k128>();
const HandlerSet VAESKEYGENASSIST_Vdq_Wdq_Ib = lanes<sse::assist_key, k128>();
const HandlerSet VPCLMULQDQ_Vdq_Hdq_Wdq_Ib = lanes<sse::multiply_carryless, k128>();

}  // namespace uchronia::cpu::interp::handler
