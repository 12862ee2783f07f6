// The CPU models that a guest can see: fixed tables, whatever the host is (D8).
//
// An AMD64 processor with x86-64-v2 or x86-64-v3, and AES, PCLMULQDQ, RDRAND and RDSEED, family
// 19h, model 1, chosen because Linux touches the fewest model-specific registers there under a
// hypervisor. Only what is implemented is advertised: no PCID, MONITOR, SVM, PMU, machine check,
// SYSENTER (long mode only), ADX, SHA, XSAVEC. Every vCPU is a package of one core, so that the
// topology does not depend on their number. The bits that say "not affected" are honest: nothing is
// ever speculated.
//
// Hypervisor leaves. 40000000h has the published signature of KVM with three of its paravirtual
// features (clock source, stable clock source, no I/O delay: Linux, Documentation/virt/kvm/x86/
// cpuid.rst and msr.rst): with them an unmodified Linux takes the TSC's frequency, the wall clock
// and x2APIC as given and runs no calibration loop. 40000100h has the signature "UchroniaVM", by
// which programs in the guest find out that the hypercall instruction exists.
//
// Source: APM vol. 3, appendix E.
#pragma once

#include "base/types.h"
#include "cpu/decode/instruction.h"
#include "cpu/model.h"
#include "cpu/state.h"

namespace uchronia::cpu::interp {

struct CPUIDResult {
    u32 eax = 0, ebx = 0, ecx = 0, edx = 0;
    bool operator==(const CPUIDResult&) const = default;
};

// Cycles of the time stamp counter in a second of virtual time: one a nanosecond.
inline constexpr u32 kTimeStampFrequency = 1'000'000'000;

// What CPUID gives for EAX = leaf, ECX = subleaf on this vCPU. The state gives OSXSAVE, XCR0 and
// nothing else.
CPUIDResult cpuid(CPUModel model, const CPUState& state, unsigned vcpu_index, u32 leaf,
                  u32 subleaf);

// Whether the model has a feature. The largest model has those of all rows (a test sees to that).
bool model_has(CPUModel model, Feature feature);

}  // namespace uchronia::cpu::interp
