// The canary: one deliberate nondeterminism, to show that the tests would catch a real one.
//
// In every normal build this is the identity. In the canary build (preset `canary`) the host's
// clock gets into the entropy words, as it would through a careless seed. That build exists only to
// be caught by tools/check_determinism.
#pragma once

#include "base/types.h"

namespace uchronia::machine {

u64 with_canary(u64 entropy_word);

}  // namespace uchronia::machine
