// Entering a handler outside long mode: through the gates of protected mode, and through the vector
// table of real mode.
//
// Returns false with the exit recorded; nothing but accessed bits has changed then. What all modes
// share (DR7, HLT, the shadow, the MMU) is delivery.cc's.
// Source: APM vol. 2, 8.6 (real mode) and 8.7 (legacy protected mode).
#pragma once

#include "cpu/interp/system/event.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

bool enter_protected_mode_handler(VCPU& cpu, const Op* op, const Event& event);
bool enter_real_mode_handler(VCPU& cpu, const Op* op, const Event& event);

}  // namespace uchronia::cpu::interp
