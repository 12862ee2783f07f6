// VMASKMOVPS, VGATHERDPS and relatives: to them, a floating-point number is an integer.
#include "cpu/interp/avx_integer/gather.h"
#include "cpu/interp/avx_integer/masked_move.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_integer;

const HandlerSet VMASKMOVPS_Vx_Hx_Mx_128 = always(masked_load<u32, k128>);
const HandlerSet VMASKMOVPS_Vx_Hx_Mx_256 = always(masked_load<u32, k256>);
const HandlerSet VMASKMOVPS_Mx_Hx_Vx_128 = always(masked_store<u32, k128>);
const HandlerSet VMASKMOVPS_Mx_Hx_Vx_256 = always(masked_store<u32, k256>);
const HandlerSet VMASKMOVPD_Vx_Hx_Mx_128 = always(masked_load<u64, k128>);
const HandlerSet VMASKMOVPD_Vx_Hx_Mx_256 = always(masked_load<u64, k256>);
const HandlerSet VMASKMOVPD_Mx_Hx_Vx_128 = always(masked_store<u64, k128>);
const HandlerSet VMASKMOVPD_Mx_Hx_Vx_256 = always(masked_store<u64, k256>);
const HandlerSet VGATHERDPS_Vx_vm32x_Hx_128 = always(gather<u32, u32, k128>);
const HandlerSet VGATHERDPS_Vx_vm32y_Hx_256 = always(gather<u32, u32, k256>);
const HandlerSet VGATHERDPD_Vx_vm32x_Hx_128 = always(gather<u64, u32, k128>);
const HandlerSet VGATHERDPD_Vx_vm32x_Hx_256 = always(gather<u64, u32, k256>);
const HandlerSet VGATHERQPS_Vx_vm64x_Hx_128 = always(gather<u32, u64, k128>);
const HandlerSet VGATHERQPS_Vx_vm64y_Hx_256 = always(gather<u32, u64, k256>);
const HandlerSet VGATHERQPD_Vx_vm64x_Hx_128 = always(gather<u64, u64, k128>);
const HandlerSet VGATHERQPD_Vx_vm64y_Hx_256 = always(gather<u64, u64, k256>);

}  // namespace uchronia::cpu::interp::handler
