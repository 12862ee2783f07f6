// IN, OUT, INS, OUTS. Each iteration of a repeated INS or OUTS is a tick of its own.
//
// All rows are kAlone: a device sees the exact tick, and what it causes (an interrupt, a power-off)
// is seen before the next instruction. The permission is checked even if a repeat count is 0, as on
// hardware. Source: APM vol. 3, IN to OUTS.

#include <type_traits>

#include "cpu/interp/handlers.h"
#include "cpu/interp/string_register.h"
#include "cpu/interp/system/debug.h"
#include "cpu/interp/system/privilege.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp {

namespace {

enum class PortOperand : u8 { kImmediate, kDX };

template <PortOperand operand>
u16 port_of(const VCPU& cpu, const Op* op) {
    if constexpr (operand == PortOperand::kImmediate)
        return static_cast<u8>(op->immediate);
    else
        return static_cast<u16>(cpu.state.gpr[kRDX]);
}

// I/O breakpoints are traps after the instruction.
void note_breakpoints(VCPU& cpu, u16 port, unsigned size) {
    cpu.breakpoint_hits |=
        static_cast<u8>(breakpoints_hit(cpu.state, BreakpointAccess::kPort, port, size));
}

template <PortOperand operand, class T>
void in(VCPU& cpu, const Op* op) {
    const u16 port = port_of<operand>(cpu, op);
    if (!check_port_permission(cpu, op, port, sizeof(T)))
        return;
    note_breakpoints(cpu, port, sizeof(T));
    const u32 value = cpu.platform.port_read(cpu.index, port, sizeof(T));
    set_register<T>(cpu, 8 * kRAX, static_cast<T>(value));
    finish(cpu, op);
}

template <PortOperand operand, class T>
void out(VCPU& cpu, const Op* op) {
    const u16 port = port_of<operand>(cpu, op);
    if (!check_port_permission(cpu, op, port, sizeof(T)))
        return;
    note_breakpoints(cpu, port, sizeof(T));
    // The device must see the state after the instruction.
    finish(cpu, op);
    cpu.platform.port_write(cpu.index, port, sizeof(T), static_cast<T>(cpu.state.gpr[kRAX]));
}

// A count or index register at the instruction's address size.
u64 string_register(const VCPU& cpu, const Op* op, Register index) {
    return cpu.state.gpr[index] & string_mask(op);
}
void set_string_register(VCPU& cpu, const Op* op, Register index, u64 value) {
    interp::set_string_register(cpu, index, value, string_mask(op));
}

// The destination of INS: in ES, which has no base in 64-bit mode.
u64 destination_address(const VCPU& cpu, const Op* op, unsigned size) {
    const u64 offset = string_register(cpu, op, kRDI);
    return (op->flags & op_flag::kLegacy) != 0
               ? segmented_address(cpu, kES, offset, Access::kWrite, size)
               : offset;
}

bool is_repeated(const Op* op) {
    return (op->flags & (op_flag::kRep | op_flag::kRepne)) != 0;
}

// Moves the index on, counts, and leaves RIP at the instruction while iterations remain.
void finish_iteration(VCPU& cpu, const Op* op, Register index, unsigned size) {
    const bool down = (cpu.state.system_flags & rflags::kDF) != 0;
    const u64 position = string_register(cpu, op, index);
    set_string_register(cpu, op, index, down ? position - size : position + size);
    if (is_repeated(op)) {
        const u64 count = string_register(cpu, op, kRCX) - 1;
        set_string_register(cpu, op, kRCX, count);
        if (count != 0) {
            cpu.state.rip = cpu.address_of(op);
            return;
        }
    }
    finish(cpu, op);
}

// The operand lies in DS or ES: #GP where the MMU would take an operand outside ModRM for one of
// the stack and give #SS.
bool check_string_address(VCPU& cpu, const Op* op, u64 address, unsigned size) {
    if (is_canonical(address) && is_canonical(address + size - 1)) [[likely]]
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

template <class T>
void ins(VCPU& cpu, const Op* op) {
    const u16 port = static_cast<u16>(cpu.state.gpr[kRDX]);
    if (!check_port_permission(cpu, op, port, sizeof(T)))
        return;
    if (is_repeated(op) && string_register(cpu, op, kRCX) == 0)
        return finish(cpu, op);
    const u64 address = destination_address(cpu, op, sizeof(T));
    // The device must not see a read whose result cannot be stored.
    if (!check_string_address(cpu, op, address, sizeof(T)) ||
        !check_writable(cpu, op, address, sizeof(T)))
        return;
    note_breakpoints(cpu, port, sizeof(T));
    const T value = static_cast<T>(cpu.platform.port_read(cpu.index, port, sizeof(T)));
    if (!write_memory<T>(cpu, op, address, value))
        return;
    finish_iteration(cpu, op, kRDI, sizeof(T));
}

template <class T>
void outs(VCPU& cpu, const Op* op) {
    const u16 port = static_cast<u16>(cpu.state.gpr[kRDX]);
    if (!check_port_permission(cpu, op, port, sizeof(T)))
        return;
    if (is_repeated(op) && string_register(cpu, op, kRCX) == 0)
        return finish(cpu, op);
    const u64 address = linear_address_at(cpu, op, cpu.state.gpr[kRSI], Access::kRead, sizeof(T));
    T value = 0;
    if (!check_string_address(cpu, op, address, sizeof(T)) || !read_memory(cpu, op, address, value))
        return;
    note_breakpoints(cpu, port, sizeof(T));
    finish_iteration(cpu, op, kRSI, sizeof(T));
    cpu.platform.port_write(cpu.index, port, sizeof(T), value);
}

// Ports are at most 32 bits wide: REX.W is ignored.
constexpr HandlerSet by_width(Handler narrow, Handler wide) {
    return {narrow, wide, wide, narrow, wide, wide};
}

}  // namespace

namespace handler {
const HandlerSet IN_AL_Ib = always(in<PortOperand::kImmediate, u8>);
const HandlerSet IN_eAX_Ib =
    by_width(in<PortOperand::kImmediate, u16>, in<PortOperand::kImmediate, u32>);
const HandlerSet IN_AL_DX = always(in<PortOperand::kDX, u8>);
const HandlerSet IN_eAX_DX = by_width(in<PortOperand::kDX, u16>, in<PortOperand::kDX, u32>);
const HandlerSet OUT_Ib_AL = always(out<PortOperand::kImmediate, u8>);
const HandlerSet OUT_Ib_eAX =
    by_width(out<PortOperand::kImmediate, u16>, out<PortOperand::kImmediate, u32>);
const HandlerSet OUT_DX_AL = always(out<PortOperand::kDX, u8>);
const HandlerSet OUT_DX_eAX = by_width(out<PortOperand::kDX, u16>, out<PortOperand::kDX, u32>);
const HandlerSet INS_Yb_DX = always(ins<u8>);
const HandlerSet INS_Yz_DX = by_width(ins<u16>, ins<u32>);
const HandlerSet OUTS_DX_Xb = always(outs<u8>);
const HandlerSet OUTS_DX_Xz = by_width(outs<u16>, outs<u32>);
}  // namespace handler

}  // namespace uchronia::cpu::interp
