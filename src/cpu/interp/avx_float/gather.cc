// VGATHERDPS and relatives: elements whose mask element has its sign set come from their own
// addresses, from the lowest on. An element that has been read has its mask cleared, so that the
// instruction goes on where a fault stopped it.
//
// Source: APM vol. 4, VGATHERDPD and relatives; 1.1.4 (VSIB).
#include "cpu/interp/avx_float/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;

namespace {

template <class Index>
u64 element_address(VCPU& cpu, const Op* op, unsigned i) {
    const i64 index = wide_element<Index>(cpu, op->index, i);
    u64 address = cpu.state.gpr[op->base] + (static_cast<u64>(index) << op->scale) +
                  static_cast<u64>(static_cast<i64>(op->displacement));
    if ((op->flags & op_flag::kAddress32) != 0)
        address = static_cast<u32>(address);
    return address + cpu.state.segment_base[op->segment];
}

template <class T>
bool is_selected(T mask) {
    return mask >> (8 * sizeof(T) - 1) != 0;
}

// Index elements are as many as fit, at most one for each element of the result.
template <class T, class Index, unsigned lane_count>
bool gather(VCPU& cpu, const Op* op) {
    constexpr unsigned kCount = 16 * lane_count / std::max(sizeof(T), sizeof(Index));
    const u8 mask = vex_vvvv(op);
    for (unsigned i = 0; i < kCount; ++i) {
        if (is_selected(wide_element<T>(cpu, mask, i))) {
            T value;
            if (!read_memory(cpu, op, element_address<Index>(cpu, op, i), value))
                return false;
            wide_element<T>(cpu, op->reg, i) = value;
        }
        wide_element<T>(cpu, mask, i) = 0;
    }
    for (unsigned i = kCount; i < 32 / sizeof(T); ++i)
        wide_element<T>(cpu, op->reg, i) = 0;
    cpu.state.vectors[mask] = {};
    return true;
}

template <class T, class Index>
constexpr auto gather_form = []<unsigned n>(Lanes<n>) {
    return always([](VCPU& cpu, const Op* op) {
        if (!avx_available(cpu, op) || !gather<T, Index, n>(cpu, op)) [[unlikely]]
            return;
        return next(cpu, op);
    });
};

}  // namespace

const HandlerSet VGATHERDPS_Vx_vm32x_Hx_128 = gather_form<u32, i32>(kOneLane);
const HandlerSet VGATHERDPS_Vx_vm32y_Hx_256 = gather_form<u32, i32>(kTwoLanes);
const HandlerSet VGATHERQPS_Vx_vm64x_Hx_128 = gather_form<u32, i64>(kOneLane);
const HandlerSet VGATHERQPS_Vx_vm64y_Hx_256 = gather_form<u32, i64>(kTwoLanes);
const HandlerSet VGATHERDPD_Vx_vm32x_Hx_128 = gather_form<u64, i32>(kOneLane);
const HandlerSet VGATHERDPD_Vx_vm32x_Hx_256 = gather_form<u64, i32>(kTwoLanes);
const HandlerSet VGATHERQPD_Vx_vm64x_Hx_128 = gather_form<u64, i64>(kOneLane);
const HandlerSet VGATHERQPD_Vx_vm64y_Hx_256 = gather_form<u64, i64>(kTwoLanes);

}  // namespace uchronia::cpu::interp::handler
