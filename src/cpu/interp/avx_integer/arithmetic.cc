// Packed integer arithmetic and logic: the functions of legacy SSE on each lane.
#include <smmintrin.h>

#include "cpu/interp/avx_integer/forms.h"
#include "cpu/interp/sse/block_difference.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_integer;

const HandlerSet VPADDB_Vx_Hx_Wx_128 = lanes<_mm_add_epi8, k128>();
const HandlerSet VPADDB_Vx_Hx_Wx_256 = lanes<_mm_add_epi8, k256>();
const HandlerSet VPADDW_Vx_Hx_Wx_128 = lanes<_mm_add_epi16, k128>();
const HandlerSet VPADDW_Vx_Hx_Wx_256 = lanes<_mm_add_epi16, k256>();
const HandlerSet VPADDD_Vx_Hx_Wx_128 = lanes<_mm_add_epi32, k128>();
const HandlerSet VPADDD_Vx_Hx_Wx_256 = lanes<_mm_add_epi32, k256>();
const HandlerSet VPADDQ_Vx_Hx_Wx_128 = lanes<_mm_add_epi64, k128>();
const HandlerSet VPADDQ_Vx_Hx_Wx_256 = lanes<_mm_add_epi64, k256>();
const HandlerSet VPADDSB_Vx_Hx_Wx_128 = lanes<_mm_adds_epi8, k128>();
const HandlerSet VPADDSB_Vx_Hx_Wx_256 = lanes<_mm_adds_epi8, k256>();
const HandlerSet VPADDSW_Vx_Hx_Wx_128 = lanes<_mm_adds_epi16, k128>();
const HandlerSet VPADDSW_Vx_Hx_Wx_256 = lanes<_mm_adds_epi16, k256>();
const HandlerSet VPADDUSB_Vx_Hx_Wx_128 = lanes<_mm_adds_epu8, k128>();
const HandlerSet VPADDUSB_Vx_Hx_Wx_256 = lanes<_mm_adds_epu8, k256>();
const HandlerSet VPADDUSW_Vx_Hx_Wx_128 = lanes<_mm_adds_epu16, k128>();
const HandlerSet VPADDUSW_Vx_Hx_Wx_256 = lanes<_mm_adds_epu16, k256>();
const HandlerSet VPSUBB_Vx_Hx_Wx_128 = lanes<_mm_sub_epi8, k128>();
const HandlerSet VPSUBB_Vx_Hx_Wx_256 = lanes<_mm_sub_epi8, k256>();
const HandlerSet VPSUBW_Vx_Hx_Wx_128 = lanes<_mm_sub_epi16, k128>();
const HandlerSet VPSUBW_Vx_Hx_Wx_256 = lanes<_mm_sub_epi16, k256>();
const HandlerSet VPSUBD_Vx_Hx_Wx_128 = lanes<_mm_sub_epi32, k128>();
const HandlerSet VPSUBD_Vx_Hx_Wx_256 = lanes<_mm_sub_epi32, k256>();
const HandlerSet VPSUBQ_Vx_Hx_Wx_128 = lanes<_mm_sub_epi64, k128>();
const HandlerSet VPSUBQ_Vx_Hx_Wx_256 = lanes<_mm_sub_epi64, k256>();
const HandlerSet VPSUBSB_Vx_Hx_Wx_128 = lanes<_mm_subs_epi8, k128>();
const HandlerSet VPSUBSB_Vx_Hx_Wx_256 = lanes<_mm_subs_epi8, k256>();
const HandlerSet VPSUBSW_Vx_Hx_Wx_128 = lanes<_mm_subs_epi16, k128>();
const HandlerSet VPSUBSW_Vx_Hx_Wx_256 = lanes<_mm_subs_epi16, k256>();
const HandlerSet VPSUBUSB_Vx_Hx_Wx_128 = lanes<_mm_subs_epu8, k128>();
const HandlerSet VPSUBUSB_Vx_Hx_Wx_256 = lanes<_mm_subs_epu8, k256>();
const HandlerSet VPSUBUSW_Vx_Hx_Wx_128 = lanes<_mm_subs_epu16, k128>();
const HandlerSet VPSUBUSW_Vx_Hx_Wx_256 = lanes<_mm_subs_epu16, k256>();
const HandlerSet VPMULLW_Vx_Hx_Wx_128 = lanes<_mm_mullo_epi16, k128>();
const HandlerSet VPMULLW_Vx_Hx_Wx_256 = lanes<_mm_mullo_epi16, k256>();
const HandlerSet VPMULLD_Vx_Hx_Wx_128 = lanes<_mm_mullo_epi32, k128>();
const HandlerSet VPMULLD_Vx_Hx_Wx_256 = lanes<_mm_mullo_epi32, k256>();
const HandlerSet VPMULHW_Vx_Hx_Wx_128 = lanes<_mm_mulhi_epi16, k128>();
const HandlerSet VPMULHW_Vx_Hx_Wx_256 = lanes<_mm_mulhi_epi16, k256>();
const HandlerSet VPMULHUW_Vx_Hx_Wx_128 = lanes<_mm_mulhi_epu16, k128>();
const HandlerSet VPMULHUW_Vx_Hx_Wx_256 = lanes<_mm_mulhi_epu16, k256>();
const HandlerSet VPMULUDQ_Vx_Hx_Wx_128 = lanes<_mm_mul_epu32, k128>();
const HandlerSet VPMULUDQ_Vx_Hx_Wx_256 = lanes<_mm_mul_epu32, k256>();
const HandlerSet VPMULDQ_Vx_Hx_Wx_128 = lanes<_mm_mul_epi32, k128>();
const HandlerSet VPMULDQ_Vx_Hx_Wx_256 = lanes<_mm_mul_epi32, k256>();
const HandlerSet VPMULHRSW_Vx_Hx_Wx_128 = lanes<_mm_mulhrs_epi16, k128>();
const HandlerSet VPMULHRSW_Vx_Hx_Wx_256 = lanes<_mm_mulhrs_epi16, k256>();
const HandlerSet VPMADDWD_Vx_Hx_Wx_128 = lanes<_mm_madd_epi16, k128>();
const HandlerSet VPMADDWD_Vx_Hx_Wx_256 = lanes<_mm_madd_epi16, k256>();
const HandlerSet VPMADDUBSW_Vx_Hx_Wx_128 = lanes<_mm_maddubs_epi16, k128>();
const HandlerSet VPMADDUBSW_Vx_Hx_Wx_256 = lanes<_mm_maddubs_epi16, k256>();
const HandlerSet VPSADBW_Vx_Hx_Wx_128 = lanes<_mm_sad_epu8, k128>();
const HandlerSet VPSADBW_Vx_Hx_Wx_256 = lanes<_mm_sad_epu8, k256>();
const HandlerSet VPAVGB_Vx_Hx_Wx_128 = lanes<_mm_avg_epu8, k128>();
const HandlerSet VPAVGB_Vx_Hx_Wx_256 = lanes<_mm_avg_epu8, k256>();
const HandlerSet VPAVGW_Vx_Hx_Wx_128 = lanes<_mm_avg_epu16, k128>();
const HandlerSet VPAVGW_Vx_Hx_Wx_256 = lanes<_mm_avg_epu16, k256>();
const HandlerSet VPMINUB_Vx_Hx_Wx_128 = lanes<_mm_min_epu8, k128>();
const HandlerSet VPMINUB_Vx_Hx_Wx_256 = lanes<_mm_min_epu8, k256>();
const HandlerSet VPMINUW_Vx_Hx_Wx_128 = lanes<_mm_min_epu16, k128>();
const HandlerSet VPMINUW_Vx_Hx_Wx_256 = lanes<_mm_min_epu16, k256>();
const HandlerSet VPMINUD_Vx_Hx_Wx_128 = lanes<_mm_min_epu32, k128>();
const HandlerSet VPMINUD_Vx_Hx_Wx_256 = lanes<_mm_min_epu32, k256>();
const HandlerSet VPMINSB_Vx_Hx_Wx_128 = lanes<_mm_min_epi8, k128>();
const HandlerSet VPMINSB_Vx_Hx_Wx_256 = lanes<_mm_min_epi8, k256>();
const HandlerSet VPMINSW_Vx_Hx_Wx_128 = lanes<_mm_min_epi16, k128>();
const HandlerSet VPMINSW_Vx_Hx_Wx_256 = lanes<_mm_min_epi16, k256>();
const HandlerSet VPMINSD_Vx_Hx_Wx_128 = lanes<_mm_min_epi32, k128>();
const HandlerSet VPMINSD_Vx_Hx_Wx_256 = lanes<_mm_min_epi32, k256>();
const HandlerSet VPMAXUB_Vx_Hx_Wx_128 = lanes<_mm_max_epu8, k128>();
const HandlerSet VPMAXUB_Vx_Hx_Wx_256 = lanes<_mm_max_epu8, k256>();
const HandlerSet VPMAXUW_Vx_Hx_Wx_128 = lanes<_mm_max_epu16, k128>();
const HandlerSet VPMAXUW_Vx_Hx_Wx_256 = lanes<_mm_max_epu16, k256>();
const HandlerSet VPMAXUD_Vx_Hx_Wx_128 = lanes<_mm_max_epu32, k128>();
const HandlerSet VPMAXUD_Vx_Hx_Wx_256 = lanes<_mm_max_epu32, k256>();
const HandlerSet VPMAXSB_Vx_Hx_Wx_128 = lanes<_mm_max_epi8, k128>();
const HandlerSet VPMAXSB_Vx_Hx_Wx_256 = lanes<_mm_max_epi8, k256>();
const HandlerSet VPMAXSW_Vx_Hx_Wx_128 = lanes<_mm_max_epi16, k128>();
const HandlerSet VPMAXSW_Vx_Hx_Wx_256 = lanes<_mm_max_epi16, k256>();
const HandlerSet VPMAXSD_Vx_Hx_Wx_128 = lanes<_mm_max_epi32, k128>();
const HandlerSet VPMAXSD_Vx_Hx_Wx_256 = lanes<_mm_max_epi32, k256>();
const HandlerSet VPSIGNB_Vx_Hx_Wx_128 = lanes<_mm_sign_epi8, k128>();
const HandlerSet VPSIGNB_Vx_Hx_Wx_256 = lanes<_mm_sign_epi8, k256>();
const HandlerSet VPSIGNW_Vx_Hx_Wx_128 = lanes<_mm_sign_epi16, k128>();
const HandlerSet VPSIGNW_Vx_Hx_Wx_256 = lanes<_mm_sign_epi16, k256>();
const HandlerSet VPSIGND_Vx_Hx_Wx_128 = lanes<_mm_sign_epi32, k128>();
const HandlerSet VPSIGND_Vx_Hx_Wx_256 = lanes<_mm_sign_epi32, k256>();
const HandlerSet VPHADDW_Vx_Hx_Wx_128 = lanes<_mm_hadd_epi16, k128>();
const HandlerSet VPHADDW_Vx_Hx_Wx_256 = lanes<_mm_hadd_epi16, k256>();
const HandlerSet VPHADDD_Vx_Hx_Wx_128 = lanes<_mm_hadd_epi32, k128>();
const HandlerSet VPHADDD_Vx_Hx_Wx_256 = lanes<_mm_hadd_epi32, k256>();
const HandlerSet VPHADDSW_Vx_Hx_Wx_128 = lanes<_mm_hadds_epi16, k128>();
const HandlerSet VPHADDSW_Vx_Hx_Wx_256 = lanes<_mm_hadds_epi16, k256>();
const HandlerSet VPHSUBW_Vx_Hx_Wx_128 = lanes<_mm_hsub_epi16, k128>();
const HandlerSet VPHSUBW_Vx_Hx_Wx_256 = lanes<_mm_hsub_epi16, k256>();
const HandlerSet VPHSUBD_Vx_Hx_Wx_128 = lanes<_mm_hsub_epi32, k128>();
const HandlerSet VPHSUBD_Vx_Hx_Wx_256 = lanes<_mm_hsub_epi32, k256>();
const HandlerSet VPHSUBSW_Vx_Hx_Wx_128 = lanes<_mm_hsubs_epi16, k128>();
const HandlerSet VPHSUBSW_Vx_Hx_Wx_256 = lanes<_mm_hsubs_epi16, k256>();
const HandlerSet VPAND_Vx_Hx_Wx_128 = lanes<_mm_and_si128, k128>();
const HandlerSet VPAND_Vx_Hx_Wx_256 = lanes<_mm_and_si128, k256>();
const HandlerSet VPANDN_Vx_Hx_Wx_128 = lanes<_mm_andnot_si128, k128>();
const HandlerSet VPANDN_Vx_Hx_Wx_256 = lanes<_mm_andnot_si128, k256>();
const HandlerSet VPOR_Vx_Hx_Wx_128 = lanes<_mm_or_si128, k128>();
const HandlerSet VPOR_Vx_Hx_Wx_256 = lanes<_mm_or_si128, k256>();
const HandlerSet VPXOR_Vx_Hx_Wx_128 = lanes<_mm_xor_si128, k128>();
const HandlerSet VPXOR_Vx_Hx_Wx_256 = lanes<_mm_xor_si128, k256>();
const HandlerSet VPABSB_Vx_Wx_128 = lanes<_mm_abs_epi8, k128>();
const HandlerSet VPABSB_Vx_Wx_256 = lanes<_mm_abs_epi8, k256>();
const HandlerSet VPABSW_Vx_Wx_128 = lanes<_mm_abs_epi16, k128>();
const HandlerSet VPABSW_Vx_Wx_256 = lanes<_mm_abs_epi16, k256>();
const HandlerSet VPABSD_Vx_Wx_128 = lanes<_mm_abs_epi32, k128>();
const HandlerSet VPABSD_Vx_Wx_256 = lanes<_mm_abs_epi32, k256>();
const HandlerSet VPHMINPOSUW_Vdq_Wdq = lanes<_mm_minpos_epu16, k128>();

// Each lane has three bits of the immediate of its own.
const HandlerSet VMPSADBW_Vx_Hx_Wx_Ib_128 = lanes<sse::sum_block_differences, k128>();
const HandlerSet VMPSADBW_Vx_Hx_Wx_Ib_256 = whole<[](YMM a, YMM b, u8 immediate) {
    const u8 high = static_cast<u8>(immediate >> 3);
    return YMM{sse::sum_block_differences(a.low, b.low, immediate),
               sse::sum_block_differences(a.high, b.high, high)};
},
                                                  k256>();

}  // namespace uchronia::cpu::interp::handler
