// Runs one floating-point operation on the host under the guest's MXCSR.
//
// The operation is executed with all exceptions masked and no flag set; then the flags are read
// back. An exception that the guest has unmasked becomes #XF with the flags recorded and nothing
// written; otherwise the flags are added to the guest's MXCSR.
//
// Invariants: the host's control bits are the default ones (0x1f80) outside of execute_float; its
// flags are meaningless there, because they are loaded anew for every operation. `compute` may run
// several times, and consists of `asm volatile` operations (float_operations.h): these stay in
// order with the loads and stores of MXCSR, which intrinsics would not.
//
// Source: APM vol. 1, 4.2.2 (MXCSR) and 4.10 (SIMD floating-point exceptions).
#pragma once

#include "cpu/interp/sse/operand.h"

namespace uchronia::cpu::interp::sse {

namespace mxcsr {
inline constexpr u32 kIE = 1u << 0, kDE = 1u << 1, kZE = 1u << 2, kOE = 1u << 3, kUE = 1u << 4,
                     kPE = 1u << 5, kFlags = 0x3f;
inline constexpr u32 kPreComputation = kIE | kDE | kZE, kRange = kOE | kUE;
inline constexpr u32 kDAZ = 1u << 6, kFTZ = 1u << 15;
inline constexpr u32 kMaskShift = 7, kMasks = kFlags << kMaskShift;
inline constexpr u32 kRoundingShift = 13, kRounding = 3u << kRoundingShift;
inline constexpr u32 kControl = kDAZ | kMasks | kRounding | kFTZ;
inline constexpr u32 kDefault = kMasks;
inline constexpr u32 kValid = 0xffff;  // MXCSR_MASK: the misaligned mode (bit 17) does not exist
}  // namespace mxcsr

inline constexpr u32 kHostMXCSR = mxcsr::kDefault;

// Records the flags and raises #XF, or #UD if the system has not set CR4.OSXMMEXCPT. Always false.
bool raise_float_exception(VCPU& cpu, const Op* op, u32 flags);

[[gnu::always_inline]] inline void load_host_mxcsr(const u32& value) {
    asm volatile("ldmxcsr %0" : : "m"(value));
}
[[gnu::always_inline]] inline u32 host_flags(VCPU& cpu) {
    asm volatile("stmxcsr %0" : "=m"(cpu.host_mxcsr));
    return cpu.host_mxcsr & mxcsr::kFlags;
}

// Runs `compute` under the control bits of `control` with exceptions masked; the flags it raises.
template <class Compute>
[[gnu::always_inline]] inline u32 flags_under(VCPU& cpu, u32 control, Compute compute) {
    cpu.host_mxcsr = (control & mxcsr::kControl) | mxcsr::kMasks;
    load_host_mxcsr(cpu.host_mxcsr);
    compute();
    const u32 flags = host_flags(cpu);
    load_host_mxcsr(kHostMXCSR);
    return flags;
}

// The mode that programs nearly always run in: nothing to load but the default, nothing to raise.
inline bool in_default_mode(u32 control) {
    return (control & mxcsr::kControl) == mxcsr::kDefault;
}
template <class Compute>
[[gnu::always_inline]] inline void execute_default(VCPU& cpu, u32 ignored, Compute compute) {
    load_host_mxcsr(kHostMXCSR);
    compute();
    cpu.state.mxcsr |= host_flags(cpu) & ~ignored;
}

// How an operation is executed, if not under MXCSR just as it is.
struct FloatMode {
    u32 control;      // MXCSR with, perhaps, another rounding (ROUNDPS)
    u32 ignored = 0;  // flags that the instruction does not raise
};

// False if a fault was raised: then nothing may be written. `inexact` is asked for the precision
// flag of an unmasked overflow or underflow (unbounded.h).
template <class Compute, class IsInexact>
[[gnu::always_inline]] inline bool execute_float(VCPU& cpu, const Op* op, FloatMode mode,
                                                 Compute compute, IsInexact is_inexact) {
    u32 control = mode.control;
    if (in_default_mode(control)) [[likely]] {
        execute_default(cpu, mode.ignored, compute);
        return true;
    }
    const u32 unmasked = ~(control >> mxcsr::kMaskShift) & mxcsr::kFlags;
    const bool signals_tiny = (unmasked & mxcsr::kUE) != 0;
    if (signals_tiny)
        control &= ~mxcsr::kFTZ;  // has no effect if underflow is unmasked
    u32 flags = flags_under(cpu, control, compute);
    if (unmasked != 0) [[unlikely]] {
        // An unmasked underflow is signalled for a tiny result even if that is exact, a masked one
        // only if it is not. Flush-to-zero shows tiny results.
        u32 signalled = flags;
        if (signals_tiny)
            signalled |= flags_under(cpu, control | mxcsr::kFTZ, compute) & mxcsr::kUE;
        signalled &= ~mode.ignored;
        if ((signalled & unmasked & mxcsr::kRange) != 0 &&
            (signalled & ~unmasked & mxcsr::kRange) == 0 && !is_inexact())
            signalled &= ~mxcsr::kPE;
        if ((signalled & unmasked) != 0)
            return raise_float_exception(cpu, op, signalled);
    }
    cpu.state.mxcsr |= flags & ~mode.ignored;
    return true;
}

// For operations that neither overflow nor underflow.
template <class Compute>
[[gnu::always_inline]] inline bool execute_float(VCPU& cpu, const Op* op, Compute compute) {
    return execute_float(cpu, op, {cpu.state.mxcsr}, compute, [] { return false; });
}

}  // namespace uchronia::cpu::interp::sse
