// Memory that the program writes code into and runs it from.
#pragma once

#include <cstddef>

#include "base/types.h"

namespace uchronia::host {

// Null where the host does not allow it (a security policy).
u8* allocate_executable(std::size_t size);
void release_executable(u8* memory, std::size_t size);

}  // namespace uchronia::host
