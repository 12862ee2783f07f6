// Single elements between vector registers and general registers or memory. Index bits of the
// immediate beyond the element count are ignored.
#include "cpu/interp/sse/forms.h"
#include "cpu/interp/sse/insert_operations.h"

namespace uchronia::cpu::interp::handler {

using namespace sse;

namespace {

template <class T>
constexpr unsigned element_index(const Op* op) {
    return static_cast<unsigned>(op->immediate) & (16 / sizeof(T) - 1);
}

template <class T>
void insert_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    xmm_element<T>(cpu, op->reg, element_index<T>(op)) = register_at<T>(cpu, op->rm);
    return next(cpu, op);
}
template <class T>
void insert_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    T value;
    if (!read_memory(cpu, op, linear_address(cpu, op), value)) [[unlikely]]
        return;
    xmm_element<T>(cpu, op->reg, element_index<T>(op)) = value;
    return next(cpu, op);
}

// To ModRM.rm, zero-extended.
template <class T>
void extract_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    register_at<u64>(cpu, op->rm) = xmm_element<T>(cpu, op->reg, element_index<T>(op));
    return next(cpu, op);
}
template <class T>
void extract_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const T value = xmm_element<T>(cpu, op->reg, element_index<T>(op));
    if (!write_memory(cpu, op, linear_address(cpu, op, Access::kWrite), value)) [[unlikely]]
        return;
    return next(cpu, op);
}

// The older PEXTRW: from ModRM.rm to ModRM.reg.
void extract_word(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    register_at<u64>(cpu, op->reg) = xmm_element<u16>(cpu, op->rm, element_index<u16>(op));
    return next(cpu, op);
}

unsigned mmx_word_shift(const Op* op) {
    return 16 * (static_cast<unsigned>(op->immediate) & 3u);
}
u64 with_word(u64 value, unsigned shift, u16 word) {
    return (value & ~(u64{0xffff} << shift)) | (u64{word} << shift);
}

void insert_word_mmx_register(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    const u16 word = register_at<u16>(cpu, op->rm);
    set_mmx(cpu, op->reg, with_word(mmx(cpu, op->reg), mmx_word_shift(op), word));
    return next(cpu, op);
}
void insert_word_mmx_memory(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    u16 word;
    if (!read_memory(cpu, op, linear_address(cpu, op), word)) [[unlikely]]
        return;
    set_mmx(cpu, op->reg, with_word(mmx(cpu, op->reg), mmx_word_shift(op), word));
    return next(cpu, op);
}
void extract_word_mmx(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    enter_mmx(cpu);
    register_at<u64>(cpu, op->reg) = (mmx(cpu, op->rm) >> mmx_word_shift(op)) & 0xffff;
    return next(cpu, op);
}

}  // namespace

const HandlerSet PINSRB_Vdq_Rd_Ib = always(insert_register<u8>);
const HandlerSet PINSRB_Vdq_Mb_Ib = always(insert_memory<u8>);
const HandlerSet PINSRW_Vdq_Rd_Ib = always(insert_register<u16>);
const HandlerSet PINSRW_Vdq_Mw_Ib = always(insert_memory<u16>);
const HandlerSet PINSRD_Vdq_Ey_Ib =
    by_width(insert_register<u32>, insert_register<u64>, insert_memory<u32>, insert_memory<u64>);
const HandlerSet PEXTRB_Rd_Vdq_Ib = always(extract_register<u8>);
const HandlerSet PEXTRB_Mb_Vdq_Ib = always(extract_memory<u8>);
const HandlerSet PEXTRW_Rd_Vdq_Ib = always(extract_register<u16>);
const HandlerSet PEXTRW_Mw_Vdq_Ib = always(extract_memory<u16>);
const HandlerSet PEXTRW_Gd_Udq_Ib = always(extract_word);
const HandlerSet PEXTRD_Ey_Vdq_Ib = by_width(extract_register<u32>, extract_register<u64>,
                                             extract_memory<u32>, extract_memory<u64>);
const HandlerSet EXTRACTPS_Ed_Vdq_Ib = by_form(extract_register<u32>, extract_memory<u32>);
const HandlerSet INSERTPS_Vps_Wd_Ib = by_form(xmm_register_form<insert_chosen_single>,
                                              xmm_memory_form<insert_low_single, Width::kDword>);
const HandlerSet PINSRW_Pq_Rd_Ib = always(insert_word_mmx_register);
const HandlerSet PINSRW_Pq_Mw_Ib = always(insert_word_mmx_memory);
const HandlerSet PEXTRW_Gd_Nq_Ib = always(extract_word_mmx);

}  // namespace uchronia::cpu::interp::handler
