// What identifies the running program's code.
#pragma once

#include <span>

#include "base/types.h"

namespace uchronia::host {

// The linker's digest of the program (its GNU build ID note); empty if it was linked without one.
std::span<const u8> build_id();

}  // namespace uchronia::host
