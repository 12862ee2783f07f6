// The state components of XSAVE that a model has: what XCR0 may enable and CPUID 0Dh reports.
#pragma once

#include "base/types.h"
#include "cpu/model.h"

namespace uchronia::cpu::interp {

namespace xstate {
inline constexpr u64 kX87 = 1, kSSE = 2, kAVX = 4;
}

// Where the upper halves of YMM0-YMM15 are in the standard format: after legacy area and header.
inline constexpr u32 kAVXOffset = 576, kAVXSize = 256;

// What XSETBV accepts.
constexpr u64 supported_components(CPUModel model) {
    return xstate::kX87 | xstate::kSSE | (model >= CPUModel::kV3 ? xstate::kAVX : 0);
}

}  // namespace uchronia::cpu::interp
