// MOV to and from segment registers, RDFSBASE and its family, SWAPGS.
// Source: APM vol. 2, 4.5 and 4.7.

#include <utility>

#include "cpu/interp/handlers.h"
#include "cpu/interp/system/privilege.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp {

namespace {

template <class T>
void store_selector_reg(VCPU& cpu, const Op* op) {
    if (op->reg > kGS)
        return cpu.raise(op, Vector::kUD);
    set_register<T>(cpu, op->rm, cpu.state.segments[op->reg].selector);
    return next(cpu, op);
}

void store_selector_mem(VCPU& cpu, const Op* op) {
    if (op->reg > kGS)
        return cpu.raise(op, Vector::kUD);
    const u16 selector = cpu.state.segments[op->reg].selector;
    if (!write_memory<u16>(cpu, op, linear_address(cpu, op, Access::kWrite), selector))
        return;
    return next(cpu, op);
}

void move_to_segment(VCPU& cpu, const Op* op, u16 selector) {
    if (!load_segment(cpu, op, static_cast<SegmentRegister>(op->reg), selector))
        return;
    if (op->reg == kSS)
        cpu.state.interrupt_shadow = true;
    finish(cpu, op);
}

bool is_loadable(VCPU& cpu, const Op* op) {
    if (op->reg <= kGS && op->reg != kCS)
        return true;
    cpu.raise(op, Vector::kUD);
    return false;
}

void load_selector_reg(VCPU& cpu, const Op* op) {
    if (is_loadable(cpu, op))
        move_to_segment(cpu, op, register_at<u16>(cpu, op->rm));
}

void load_selector_mem(VCPU& cpu, const Op* op) {
    u16 selector = 0;
    if (is_loadable(cpu, op) && read_memory(cpu, op, linear_address(cpu, op), selector))
        move_to_segment(cpu, op, selector);
}

template <SegmentRegister index, class T>
void read_base(VCPU& cpu, const Op* op) {
    if ((cpu.state.cr4 & cr4::kFSGSBASE) == 0)
        return cpu.raise(op, Vector::kUD);
    set_register<T>(cpu, op->rm, static_cast<T>(cpu.state.segments[index].base));
    return next(cpu, op);
}

template <SegmentRegister index, class T>
void write_base(VCPU& cpu, const Op* op) {
    if ((cpu.state.cr4 & cr4::kFSGSBASE) == 0)
        return cpu.raise(op, Vector::kUD);
    const u64 base = register_at<T>(cpu, op->rm);
    if (!is_canonical(base))
        return cpu.raise(op, Vector::kGP);
    cpu.state.segments[index].base = base;
    cpu.state.segment_base[index] = base;
    return next(cpu, op);
}

void swap_gs(VCPU& cpu, const Op* op) {
    if (cpu.state.cpl() != 0)
        return cpu.raise(op, Vector::kGP);
    const u64 base = std::exchange(cpu.state.kernel_gs_base, cpu.state.segments[kGS].base);
    cpu.state.segments[kGS].base = base;
    cpu.state.segment_base[kGS] = base;
    return next(cpu, op);
}

// 66h has no meaning for the base instructions: 32 or 64 bits.
template <SegmentRegister index>
constexpr HandlerSet kReadBase = {read_base<index, u32>, read_base<index, u32>,
                                  read_base<index, u64>, read_base<index, u32>,
                                  read_base<index, u32>, read_base<index, u64>};
template <SegmentRegister index>
constexpr HandlerSet kWriteBase = {write_base<index, u32>, write_base<index, u32>,
                                   write_base<index, u64>, write_base<index, u32>,
                                   write_base<index, u32>, write_base<index, u64>};

}  // namespace

namespace handler {
const HandlerSet MOV_Ev_Sw = {store_selector_reg<u16>, store_selector_reg<u32>,
                              store_selector_reg<u64>, store_selector_mem,
                              store_selector_mem,      store_selector_mem};
const HandlerSet MOV_Sw_Ew = by_form(load_selector_reg, load_selector_mem);
const HandlerSet RDFSBASE_Ry = kReadBase<kFS>;
const HandlerSet RDGSBASE_Ry = kReadBase<kGS>;
const HandlerSet WRFSBASE_Ry = kWriteBase<kFS>;
const HandlerSet WRGSBASE_Ry = kWriteBase<kGS>;
const HandlerSet SWAPGS = always(swap_gs);
}  // namespace handler

}  // namespace uchronia::cpu::interp
