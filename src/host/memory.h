// Host memory by the page: large reservations and private arenas.
#pragma once

#include <cstddef>

#include "base/types.h"

namespace uchronia::host {

// Reserves `size` bytes of zeroed address space that cost nothing until they are touched. Never
// returns on failure: prints what was asked for and the remedy (overcommit, ulimit -v).
void* reserve(std::size_t size);
// As reserve, in huge pages where the host has them.
void* reserve_huge(std::size_t size);
void release(void* memory, std::size_t size);
// Makes what reserve gave zero again, and gives back what it has cost, page tables included.
void renew(void* memory, std::size_t size);

}  // namespace uchronia::host
