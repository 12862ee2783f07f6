// Whether the operating system lets VEX-encoded vector instructions run. VEX-encoded instructions
// on general registers (ANDN, BEXTR, ...) do not ask for this.
//
// The CPU model is in the answer: XCR0 can have the AVX bit only where the model has AVX, and then
// it has AVX2, FMA and F16C too.
//
// Source: APM vol. 4, 1.5 and the exception tables (AVX columns); vol. 2, 11.3.2 and 11.3.10.
#pragma once

#include "cpu/interp/state_components.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

inline constexpr u64 kXCR0ForAVX = xstate::kSSE | xstate::kAVX;

[[gnu::noinline, gnu::cold]] inline void refuse_avx(VCPU& cpu, const Op* op) {
    const bool enabled =
        (cpu.state.cr4 & cr4::kOSXSAVE) != 0 && (cpu.state.xcr0 & kXCR0ForAVX) == kXCR0ForAVX;
    cpu.raise(op, enabled ? Vector::kNM : Vector::kUD);
}

// If not, #UD or #NM is raised already. CR0.EM does not matter here.
[[gnu::always_inline]] inline bool avx_available(VCPU& cpu, const Op* op) {
    const u64 bits = (cpu.state.cr4 & cr4::kOSXSAVE) | (cpu.state.cr0 & cr0::kTS) |
                     (cpu.state.xcr0 & kXCR0ForAVX) << 32;
    if (bits == (cr4::kOSXSAVE | kXCR0ForAVX << 32)) [[likely]]
        return true;
    refuse_avx(cpu, op);
    return false;
}

}  // namespace uchronia::cpu::interp
