// Masked moves and gathers: the rows.
#include "cpu/interp/avx_integer/gather.h"
#include "cpu/interp/avx_integer/masked_move.h"
#include "cpu/interp/sse/masked_store.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_integer;

namespace {

void store_selected_bytes(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const u32 mask = static_cast<u32>(_mm_movemask_epi8(sse::xmm(cpu, op->rm)));
    if (!sse::store_selected(cpu, op, &sse::xmm_element<u8>(cpu, op->reg, 0), mask))
        return;
    return next(cpu, op);
}

}  // namespace

const HandlerSet VMASKMOVDQU_Vdq_Udq = always(store_selected_bytes);
const HandlerSet VPMASKMOVD_Vx_Hx_Mx_128 = always(masked_load<u32, k128>);
const HandlerSet VPMASKMOVD_Vx_Hx_Mx_256 = always(masked_load<u32, k256>);
const HandlerSet VPMASKMOVD_Mx_Hx_Vx_128 = always(masked_store<u32, k128>);
const HandlerSet VPMASKMOVD_Mx_Hx_Vx_256 = always(masked_store<u32, k256>);
const HandlerSet VPMASKMOVQ_Vx_Hx_Mx_128 = always(masked_load<u64, k128>);
const HandlerSet VPMASKMOVQ_Vx_Hx_Mx_256 = always(masked_load<u64, k256>);
const HandlerSet VPMASKMOVQ_Mx_Hx_Vx_128 = always(masked_store<u64, k128>);
const HandlerSet VPMASKMOVQ_Mx_Hx_Vx_256 = always(masked_store<u64, k256>);
const HandlerSet VPGATHERDD_Vx_vm32x_Hx_128 = always(gather<u32, u32, k128>);
const HandlerSet VPGATHERDD_Vx_vm32y_Hx_256 = always(gather<u32, u32, k256>);
const HandlerSet VPGATHERDQ_Vx_vm32x_Hx_128 = always(gather<u64, u32, k128>);
const HandlerSet VPGATHERDQ_Vx_vm32x_Hx_256 = always(gather<u64, u32, k256>);
const HandlerSet VPGATHERQD_Vx_vm64x_Hx_128 = always(gather<u32, u64, k128>);
const HandlerSet VPGATHERQD_Vx_vm64y_Hx_256 = always(gather<u32, u64, k256>);
const HandlerSet VPGATHERQQ_Vx_vm64x_Hx_128 = always(gather<u64, u64, k128>);
const HandlerSet VPGATHERQQ_Vx_vm64y_Hx_256 = always(gather<u64, u64, k256>);

}  // namespace uchronia::cpu::interp::handler
