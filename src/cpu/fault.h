// Exceptions as values (APM vol. 2, 8.2).
#pragma once

#include "base/types.h"

namespace uchronia::cpu {

enum class Vector : u8 {
    kDE = 0,
    kDB = 1,
    kNMI = 2,
    kBP = 3,
    kOF = 4,
    kBR = 5,
    kUD = 6,
    kNM = 7,
    kDF = 8,
    kTS = 10,
    kNP = 11,
    kSS = 12,
    kGP = 13,
    kPF = 14,
    kMF = 16,
    kAC = 17,
    kMC = 18,
    kXF = 19,
};

struct Fault {
    Vector vector = Vector::kUD;
    u32 error_code = 0;  // pushed only for the vectors that have one
    u64 address = 0;     // CR2, for #PF
};

// Error code bits of #PF (APM vol. 2, 8.4.2).
namespace page_fault {
inline constexpr u32 kPresent = 1, kWrite = 2, kUser = 4, kReserved = 8, kFetch = 16;
}

}  // namespace uchronia::cpu
