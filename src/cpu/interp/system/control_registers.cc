// MOV to and from control and debug registers, CLTS, SMSW, LMSW.
//
// Paging exists in long mode only: other paging modes are reported as unimplemented. Outside 64-bit
// mode the registers are 32 bits wide.
// Source: APM vol. 2, 3.1 (system control registers) and 13.1.1 (debug registers).

#include "cpu/access.h"
#include "cpu/execution.h"
#include "cpu/interp/handlers.h"
#include "cpu/interp/system/debug.h"
#include "cpu/interp/system/privilege.h"
#include "cpu/mmu/page_walk.h"

namespace uchronia::cpu::interp {

namespace {

constexpr u64 kCR0NW = 1u << 29;
constexpr u64 kCR0CD = 1u << 30;
constexpr u64 kCR0Writable = cr0::kPE | cr0::kMP | cr0::kEM | cr0::kTS | cr0::kNE | cr0::kWP |
                             cr0::kAM | kCR0NW | kCR0CD | cr0::kPG;

constexpr u64 kCR4PCE = 1u << 8;
constexpr u64 kCR4Writable = cr4::kTSD | cr4::kDE | cr4::kPSE | cr4::kPAE | cr4::kPGE | kCR4PCE |
                             cr4::kOSFXSR | cr4::kOSXMMEXCPT | cr4::kFSGSBASE | cr4::kOSXSAVE |
                             cr4::kSMEP | cr4::kSMAP;

u64 whole_register(VCPU& cpu, const Op* op) {
    const u64 value = register_at<u64>(cpu, op->rm);
    return (op->flags & op_flag::kLegacy) != 0 ? static_cast<u32>(value) : value;
}
void set_whole_register(VCPU& cpu, const Op* op, u64 value) {
    const bool legacy = (op->flags & op_flag::kLegacy) != 0;
    register_at<u64>(cpu, op->rm) = legacy ? static_cast<u32>(value) : value;
}

void read_control(VCPU& cpu, const Op* op) {
    if (!require_supervisor(cpu, op))
        return;
    u64 value = 0;
    switch (op->reg) {
        case 0:
            value = cpu.state.cr0;
            break;
        case 2:
            value = cpu.state.cr2;
            break;
        case 3:
            value = cpu.state.cr3;
            break;
        case 4:
            value = cpu.state.cr4;
            break;
        case 8:
            value = cpu.platform.task_priority(cpu.index);
            break;
        default:
            return cpu.raise(op, Vector::kUD);
    }
    set_whole_register(cpu, op, value);
    finish(cpu, op);
}

enum class Written : u8 { kDone, kInvalid, kUnimplemented };

// Paging makes long mode active if it is enabled, and can be switched by compatibility mode only
// (APM vol. 2, 14.6 and 14.8).
Written switch_paging(CPUState& state, bool on) {
    if (code_mode(state) == CodeMode::k64)
        return Written::kInvalid;
    if (!on) {
        state.efer &= ~efer::kLMA;
        return Written::kDone;
    }
    if ((state.efer & efer::kLME) == 0)
        return Written::kUnimplemented;
    const bool long_code = (state.segments[kCS].attributes & Segment::kLong) != 0;
    if ((state.cr4 & cr4::kPAE) == 0 || long_code)
        return Written::kInvalid;
    state.efer |= efer::kLMA;
    return Written::kDone;
}

Written write_cr0(VCPU& cpu, u64 value) {
    const u64 old = cpu.state.cr0;
    const bool inconsistent = ((value & cr0::kPG) != 0 && (value & cr0::kPE) == 0) ||
                              ((value & kCR0NW) != 0 && (value & kCR0CD) == 0);
    if ((value >> 32) != 0 || inconsistent)
        return Written::kInvalid;
    if (((value ^ old) & cr0::kPG) != 0) {
        const Written switched = switch_paging(cpu.state, (value & cr0::kPG) != 0);
        if (switched != Written::kDone)
            return switched;
    }
    cpu.state.cr0 = (value & kCR0Writable) | cr0::kET;
    cpu.mmu.update_context(cpu);
    return Written::kDone;
}

Written write_cr3(VCPU& cpu, u64 value) {
    if ((value >> pte::kPhysicalBits) != 0)
        return Written::kInvalid;
    cpu.state.cr3 = value;
    cpu.mmu.update_context(cpu);
    return Written::kDone;
}

Written write_cr4(VCPU& cpu, u64 value) {
    const bool leaves_pae = (cpu.state.efer & efer::kLMA) != 0 && (value & cr4::kPAE) == 0;
    if ((value & ~kCR4Writable) != 0 || leaves_pae)
        return Written::kInvalid;
    cpu.state.cr4 = value;
    cpu.mmu.update_context(cpu);
    return Written::kDone;
}

Written write_cr8(VCPU& cpu, u64 value) {
    if (value > 15)
        return Written::kInvalid;
    cpu.platform.set_task_priority(cpu.index, value);
    return Written::kDone;
}

void finish_write(VCPU& cpu, const Op* op, Written written) {
    switch (written) {
        case Written::kDone:
            return finish(cpu, op);
        case Written::kInvalid:
            return cpu.raise(op, Vector::kGP);
        case Written::kUnimplemented:
            cpu.unimplemented = "paging outside long mode";
            return cpu.leave(op, Exit::kUnimplemented);
    }
}

void write_control(VCPU& cpu, const Op* op) {
    if (!require_supervisor(cpu, op))
        return;
    const u64 value = whole_register(cpu, op);
    switch (op->reg) {
        case 0:
            return finish_write(cpu, op, write_cr0(cpu, value));
        case 2:
            cpu.state.cr2 = value;
            return finish(cpu, op);
        case 3:
            return finish_write(cpu, op, write_cr3(cpu, value));
        case 4:
            return finish_write(cpu, op, write_cr4(cpu, value));
        case 8:
            return finish_write(cpu, op, write_cr8(cpu, value));
        default:
            return cpu.raise(op, Vector::kUD);
    }
}

// The checks that reads and writes of debug registers share; `number` becomes 0-3, 6 or 7.
bool may_access_debug(VCPU& cpu, const Op* op, unsigned& number) {
    const bool alias = op->reg == 4 || op->reg == 5;
    if (op->reg > 7 || (alias && (cpu.state.cr4 & cr4::kDE) != 0)) {
        cpu.raise(op, Vector::kUD);
        return false;
    }
    if (!require_supervisor(cpu, op))
        return false;
    if ((cpu.state.dr7 & dr7::kGD) != 0) {
        report_debug(cpu.state, dr6::kBD);
        cpu.raise(op, Vector::kDB);
        return false;
    }
    number = alias ? op->reg + 2u : op->reg;
    return true;
}

void read_debug(VCPU& cpu, const Op* op) {
    unsigned number = 0;
    if (!may_access_debug(cpu, op, number))
        return;
    const CPUState& state = cpu.state;
    set_whole_register(cpu, op,
                       number == 7   ? state.dr7
                       : number == 6 ? state.dr6
                                     : state.dr[number]);
    finish(cpu, op);
}

void write_debug(VCPU& cpu, const Op* op) {
    unsigned number = 0;
    if (!may_access_debug(cpu, op, number))
        return;
    const u64 value = whole_register(cpu, op);
    if (number >= 6 && (value >> 32) != 0)
        return cpu.raise(op, Vector::kGP);
    if (number == 7)
        cpu.state.dr7 = (value & dr7::kWritable) | dr7::kFixed;
    else if (number == 6)
        cpu.state.dr6 = (value & dr6::kWritable) | dr6::kFixed;
    else
        cpu.state.dr[number] = value;
    cpu.mmu.update_context(cpu);
    finish(cpu, op);
}

void clear_task_switched(VCPU& cpu, const Op* op) {
    if (!require_supervisor(cpu, op))
        return;
    cpu.state.cr0 &= ~cr0::kTS;
    finish(cpu, op);
}

template <class T>
void store_status_word_reg(VCPU& cpu, const Op* op) {
    set_register<T>(cpu, op->rm, static_cast<T>(cpu.state.cr0));
    return next(cpu, op);
}

void store_status_word_mem(VCPU& cpu, const Op* op) {
    const u64 address = linear_address(cpu, op, Access::kWrite);
    if (!write_memory<u16>(cpu, op, address, static_cast<u16>(cpu.state.cr0)))
        return;
    return next(cpu, op);
}

// LMSW can set PE but not clear it, and reaches MP, EM and TS besides.
void load_status_word(VCPU& cpu, const Op* op, u16 value) {
    const u64 reachable = cr0::kMP | cr0::kEM | cr0::kTS;
    cpu.state.cr0 = (cpu.state.cr0 & ~reachable) | (value & (reachable | cr0::kPE));
    cpu.mmu.update_context(cpu);
    finish(cpu, op);
}

void load_status_word_reg(VCPU& cpu, const Op* op) {
    if (require_supervisor(cpu, op))
        load_status_word(cpu, op, register_at<u16>(cpu, op->rm));
}

void load_status_word_mem(VCPU& cpu, const Op* op) {
    u16 value = 0;
    if (require_supervisor(cpu, op) && read_memory(cpu, op, linear_address(cpu, op), value))
        load_status_word(cpu, op, value);
}

}  // namespace

namespace handler {
const HandlerSet MOV_Ry_Cy = always(read_control);
const HandlerSet MOV_Cy_Ry = always(write_control);
const HandlerSet MOV_Ry_Dy = always(read_debug);
const HandlerSet MOV_Dy_Ry = always(write_debug);
const HandlerSet CLTS = always(clear_task_switched);
const HandlerSet SMSW_Ev = {store_status_word_reg<u16>, store_status_word_reg<u32>,
                            store_status_word_reg<u64>, store_status_word_mem,
                            store_status_word_mem,      store_status_word_mem};
const HandlerSet LMSW_Ew = by_form(load_status_word_reg, load_status_word_mem);
}  // namespace handler

}  // namespace uchronia::cpu::interp
