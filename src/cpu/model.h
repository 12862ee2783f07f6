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

}  // namespace uchronia::cpu
