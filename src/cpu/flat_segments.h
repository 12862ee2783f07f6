// The segments that SYSCALL, SYSRET and INIT load without a look at a descriptor, as both engines
// write them: attributes as in Segment.
// Source: APM vol. 3, SYSCALL and SYSRET.
#pragma once

#include "base/types.h"

namespace uchronia::cpu::descriptor {

inline constexpr u16 kFlatCode64 = 0xa9b;  // G L P S, code, readable, accessed; DPL 0
inline constexpr u16 kFlatCode32 = 0xc9b;
inline constexpr u16 kFlatData = 0xc93;
inline constexpr u16 kRealModeCode = 0x9b;  // present, code, readable, accessed; 16 bits
inline constexpr u16 kRealModeData = 0x93;
constexpr u16 with_dpl(u16 attributes, unsigned dpl) {
    return static_cast<u16>(attributes | (dpl << 5));
}

}  // namespace uchronia::cpu::descriptor
