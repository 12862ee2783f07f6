// The state components of XSAVE that the model has: what XCR0 may enable and CPUID 0Dh reports.
#pragma once

#include "base/types.h"

namespace uchronia::cpu::interp::x87 {

namespace xstate {
inline constexpr u64 kX87 = 1, kSSE = 2, kAVX = 4;
}

// What XSETBV accepts. Add xstate::kAVX when AVX is there: saving and restoring are prepared.
inline constexpr u64 kSupportedComponents = xstate::kX87 | xstate::kSSE;

}  // namespace uchronia::cpu::interp::x87
