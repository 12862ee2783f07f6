#include "cpu/state.h"

#include <string>

namespace uchronia::cpu {

void Segment::fields(FieldVisitor& v) {
    v("selector", selector);
    v("base", base);
    v("limit", limit);
    v("attributes", attributes);
}

void DescriptorTable::fields(FieldVisitor& v) {
    v("base", base);
    v("limit", limit);
}

void X87State::fields(FieldVisitor& v) {
    v("control", control);
    v("status", status);
    v("empty", empty);
    v("opcode", opcode);
    v("instruction", instruction);
    v("data", data);
    for (unsigned i = 0; i < registers.size(); ++i) {
        v.enter("r" + std::to_string(i));
        v("mantissa", registers[i].mantissa);
        v("exponent", registers[i].exponent);
        v.leave();
    }
}

void CPUState::fields(FieldVisitor& v) {
    static constexpr const char* kRegisterNames[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                     "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                     "r12", "r13", "r14", "r15"};
    static constexpr u32 kDefinedMXCSR = 0xffff;
    static constexpr const char* kSegmentNames[] = {"es", "cs", "ss", "ds", "fs", "gs"};
    for (unsigned i = 0; i < 16; ++i)
        v(kRegisterNames[i], gpr[i]);
    v("rip", rip);
    u64 all_flags = rflags();
    v("rflags", all_flags);
    set_rflags(all_flags);
    for (unsigned i = 0; i < segments.size(); ++i) {
        v(kSegmentNames[i], segments[i]);
        segment_base[i] = segments[i].base;
    }
    v("ldtr", ldtr);
    v("tr", tr);
    v("gdtr", gdtr);
    v("idtr", idtr);
    v("cr0", cr0);
    v("cr2", cr2);
    v("cr3", cr3);
    v("cr4", cr4);
    v("efer", efer);
    v("xcr0", xcr0);
    v("dr", dr);
    v("dr6", dr6);
    v("dr7", dr7);
    v("star", star);
    v("lstar", lstar);
    v("cstar", cstar);
    v("sfmask", sfmask);
    v("kernel_gs_base", kernel_gs_base);
    v("sysenter_cs", sysenter_cs);
    v("sysenter_esp", sysenter_esp);
    v("sysenter_eip", sysenter_eip);
    v("tsc_aux", tsc_aux);
    v("tsc_offset", tsc_offset);
    v("pat", pat);
    v("misc_enable", misc_enable);
    v("mtrr_default_type", mtrr_default_type);
    v("mtrr_variable", mtrr_variable);
    v("mtrr_fixed", mtrr_fixed);
    v("x87", x87);
    v("mxcsr", mxcsr);
    mxcsr &= kDefinedMXCSR;  // of a damaged file: the host's LDMXCSR would fault
    for (unsigned i = 0; i < vectors.size(); ++i)
        v("ymm" + std::to_string(i), vectors[i].q);
    v("halted", halted);
    v("interrupt_shadow", interrupt_shadow);
    v("nmi_pending", nmi_pending);
    v("nmi_masked", nmi_masked);
}

}  // namespace uchronia::cpu
