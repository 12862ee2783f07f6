// The instructions on the processor as a whole: HLT, interrupt and access flags, cache control,
// identity, MSRs, time, entropy and the hypercall.
// Source: APM vol. 3, chapters 3 and 4.

#include "cpu/interp/handlers.h"
#include "cpu/interp/system/cpuid.h"
#include "cpu/interp/system/msr.h"
#include "cpu/interp/system/privilege.h"

namespace uchronia::cpu::interp {

namespace {

void halt(VCPU& cpu, const Op* op) {
    if (!require_supervisor(cpu, op))
        return;
    finish(cpu, op);
    cpu.state.halted = true;
    cpu.leave(op, Exit::kHalt);
}

bool may_change_interrupt_flag(VCPU& cpu, const Op* op) {
    if (cpu.state.cpl() <= ((cpu.state.system_flags & rflags::kIOPL) >> 12)) [[likely]]
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

void clear_interrupt_flag(VCPU& cpu, const Op* op) {
    if (!may_change_interrupt_flag(cpu, op))
        return;
    cpu.state.system_flags &= ~rflags::kIF;
    finish(cpu, op);
}

void set_interrupt_flag(VCPU& cpu, const Op* op) {
    if (!may_change_interrupt_flag(cpu, op))
        return;
    if ((cpu.state.system_flags & rflags::kIF) == 0)
        cpu.state.interrupt_shadow = true;
    cpu.state.system_flags |= rflags::kIF;
    finish(cpu, op);
}

void write_access_flag(VCPU& cpu, const Op* op, u64 flag) {
    if (cpu.state.cpl() != 0)
        return cpu.raise(op, Vector::kUD);
    cpu.state.system_flags = (cpu.state.system_flags & ~rflags::kAC) | flag;
    cpu.mmu.update_context(cpu);
    finish(cpu, op);
}

void clear_access_flag(VCPU& cpu, const Op* op) {
    return write_access_flag(cpu, op, 0);
}

void set_access_flag(VCPU& cpu, const Op* op) {
    return write_access_flag(cpu, op, rflags::kAC);
}

// There are no caches and no translations that could be stale.
void control_caches(VCPU& cpu, const Op* op) {
    if (require_supervisor(cpu, op))
        finish(cpu, op);
}

// EDX:EAX, as 32-bit results.
void set_pair(VCPU& cpu, u64 value) {
    cpu.state.gpr[kRAX] = static_cast<u32>(value);
    cpu.state.gpr[kRDX] = value >> 32;
}

[[gnu::noinline]] void identify(VCPU& cpu) {
    auto& gpr = cpu.state.gpr;
    const CPUIDResult result =
        interp::cpuid(cpu.platform.cpu_model(), cpu.state, cpu.index, static_cast<u32>(gpr[kRAX]),
                      static_cast<u32>(gpr[kRCX]));
    gpr[kRAX] = result.eax;
    gpr[kRBX] = result.ebx;
    gpr[kRCX] = result.ecx;
    gpr[kRDX] = result.edx;
}

void cpu_identification(VCPU& cpu, const Op* op) {
    identify(cpu);
    return next(cpu, op);
}

void read_model_specific(VCPU& cpu, const Op* op) {
    if (!require_supervisor(cpu, op))
        return;
    u64 value = 0;
    if (!read_msr(cpu, static_cast<u32>(cpu.state.gpr[kRCX]), value))
        return cpu.raise(op, Vector::kGP);
    set_pair(cpu, value);
    finish(cpu, op);
}

void write_model_specific(VCPU& cpu, const Op* op) {
    if (!require_supervisor(cpu, op))
        return;
    const u64 value = (cpu.state.gpr[kRDX] << 32) | static_cast<u32>(cpu.state.gpr[kRAX]);
    if (!write_msr(cpu, static_cast<u32>(cpu.state.gpr[kRCX]), value))
        return cpu.raise(op, Vector::kGP);
    finish(cpu, op);
}

bool may_read_time(VCPU& cpu, const Op* op) {
    if ((cpu.state.cr4 & cr4::kTSD) == 0 || cpu.state.cpl() == 0) [[likely]]
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

void read_time(VCPU& cpu, const Op* op) {
    if (!may_read_time(cpu, op))
        return;
    set_pair(cpu, time_stamp(cpu));
    finish(cpu, op);
}

void read_time_and_processor(VCPU& cpu, const Op* op) {
    if (!may_read_time(cpu, op))
        return;
    set_pair(cpu, time_stamp(cpu));
    cpu.state.gpr[kRCX] = cpu.state.tsc_aux;
    finish(cpu, op);
}

// The model has no performance counters: every index is out of range.
void read_performance_counter(VCPU& cpu, const Op* op) {
    return cpu.raise(op, Vector::kGP);
}

// RDRAND and RDSEED always succeed: CF = 1, the other arithmetic flags 0.
template <class T>
void read_entropy(VCPU& cpu, const Op* op) {
    set_register<T>(cpu, op->rm, static_cast<T>(cpu.platform.entropy()));
    cpu.state.flags.bits = ArithmeticFlags::kFixed | ArithmeticFlags::kCF;
    finish(cpu, op);
}
constexpr HandlerSet kReadEntropy = {read_entropy<u16>, read_entropy<u32>, read_entropy<u64>,
                                     read_entropy<u16>, read_entropy<u32>, read_entropy<u64>};

// The platform sees, and may change, the state after the instruction.
void hypercall(VCPU& cpu, const Op* op) {
    finish(cpu, op);
    cpu.platform.hypercall(cpu.index);
}

}  // namespace

namespace handler {
const HandlerSet HLT = always(halt);
const HandlerSet CLI = always(clear_interrupt_flag);
const HandlerSet STI = always(set_interrupt_flag);
const HandlerSet CLAC = always(clear_access_flag);
const HandlerSet STAC = always(set_access_flag);
const HandlerSet INVD = always(control_caches);
const HandlerSet WBINVD = always(control_caches);
const HandlerSet INVLPG_Mb = always(control_caches);
const HandlerSet CPUID = always(cpu_identification);
const HandlerSet RDMSR = always(read_model_specific);
const HandlerSet WRMSR = always(write_model_specific);
const HandlerSet RDTSC = always(read_time);
const HandlerSet RDTSCP = always(read_time_and_processor);
const HandlerSet RDPMC = always(read_performance_counter);
const HandlerSet RDRAND_Rv = kReadEntropy;
const HandlerSet RDSEED_Rv = kReadEntropy;
const HandlerSet HYPERCALL = always(hypercall);
}  // namespace handler

}  // namespace uchronia::cpu::interp
