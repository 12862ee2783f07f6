// What the translator needs of the host, and the GS base, which belongs to translated code.
#pragma once

#include "base/types.h"

namespace uchronia::cpu::jit {

// The name of something that the host lacks, or null.
const char* missing_host_feature();

// Only if nothing is missing.
u64 gs_base();
void set_gs_base(u64 base);

}  // namespace uchronia::cpu::jit
