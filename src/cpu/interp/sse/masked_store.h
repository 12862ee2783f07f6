// The store that MASKMOVQ and MASKMOVDQU share: bytes whose mask bit is set, at DS:rDI.
//
// The manuals leave open whether bytes that are not selected can fault; here they do not. All
// selected bytes are checked before the first is written.
#pragma once

#include "cpu/interp/sse/operand.h"

namespace uchronia::cpu::interp::sse {

// `mask` has one bit for each byte. False if the exit is already recorded.
bool store_selected(VCPU& cpu, const Op* op, const u8* data, u32 mask);

}  // namespace uchronia::cpu::interp::sse
