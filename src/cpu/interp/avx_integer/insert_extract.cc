// Single elements between vector registers and general registers or memory. Index bits of the
// immediate beyond the element count are ignored.
#include "cpu/interp/vex_operand.h"

namespace uchronia::cpu::interp::handler {

using namespace vex;

namespace {

template <class T>
constexpr unsigned element_index(const Op* op) {
    return vex_immediate(op) & (16 / sizeof(T) - 1);
}

// VEX.vvvv with one element replaced.
template <class T>
[[gnu::always_inline]] inline void insert(VCPU& cpu, const Op* op, T value) {
    set_low_lane(cpu, op->reg, sse::xmm(cpu, vex_vvvv(op)));
    sse::xmm_element<T>(cpu, op->reg, element_index<T>(op)) = value;
}

template <class T>
void insert_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    insert(cpu, op, register_at<T>(cpu, op->rm));
    return next(cpu, op);
}
template <class T>
void insert_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    T value;
    if (!read_memory(cpu, op, linear_address(cpu, op), value)) [[unlikely]]
        return;
    insert(cpu, op, value);
    return next(cpu, op);
}

// To ModRM.rm, zero-extended.
template <class T>
void extract_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    register_at<u64>(cpu, op->rm) = sse::xmm_element<T>(cpu, op->reg, element_index<T>(op));
    return next(cpu, op);
}
template <class T>
void extract_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const T value = sse::xmm_element<T>(cpu, op->reg, element_index<T>(op));
    if (!write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), value)) [[unlikely]]
        return;
    return next(cpu, op);
}

// The older VPEXTRW: from ModRM.rm to ModRM.reg.
void extract_word(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    register_at<u64>(cpu, op->reg) = sse::xmm_element<u16>(cpu, op->rm, element_index<u16>(op));
    return next(cpu, op);
}

}  // namespace

const HandlerSet VPINSRB_Vdq_Hdq_Rd_Ib = always(insert_register<u8>);
const HandlerSet VPINSRB_Vdq_Hdq_Mb_Ib = always(insert_memory<u8>);
const HandlerSet VPINSRW_Vdq_Hdq_Rd_Ib = always(insert_register<u16>);
const HandlerSet VPINSRW_Vdq_Hdq_Mw_Ib = always(insert_memory<u16>);
const HandlerSet VPINSRD_Vdq_Hdq_Ey_Ib = sse::by_width(insert_register<u32>, insert_register<u64>,
                                                       insert_memory<u32>, insert_memory<u64>);
const HandlerSet VPEXTRB_Rd_Vdq_Ib = always(extract_register<u8>);
const HandlerSet VPEXTRB_Mb_Vdq_Ib = always(extract_memory<u8>);
const HandlerSet VPEXTRW_Rd_Vdq_Ib = always(extract_register<u16>);
const HandlerSet VPEXTRW_Mw_Vdq_Ib = always(extract_memory<u16>);
const HandlerSet VPEXTRW_Gd_Udq_Ib = always(extract_word);
const HandlerSet VPEXTRD_Ey_Vdq_Ib = sse::by_width(extract_register<u32>, extract_register<u64>,
                                                   extract_memory<u32>, extract_memory<u64>);

}  // namespace uchronia::cpu::interp::handler
