// The host's clock, for progress and reports only: nothing that a guest sees depends on it.
#pragma once

#include "base/types.h"

namespace uchronia::host {

// Nanoseconds since an arbitrary moment; never goes back.
u64 monotonic_nanoseconds();

}  // namespace uchronia::host
