// The CPU models that a machine can have: levels of the x86-64 psABI (version 1.0, 3.1.1), each
// with what else the model has (interp/system/cpuid.h).
#pragma once

#include "base/types.h"

namespace uchronia::cpu {

// The numbers are in files.
enum class CPUModel : u8 {
    kV2 = 2,
    kV3 = 3,  // with AVX, AVX2, FMA, F16C, BMI1, BMI2, LZCNT and MOVBE
};

// CPUID leaf 1, EAX, and EDX after a reset: family 19h (0fh + 0ah), model 01h, stepping 1.
inline constexpr u32 kProcessorSignature = 0x00a00f11;

}  // namespace uchronia::cpu
