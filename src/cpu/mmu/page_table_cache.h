// Entries of the flat software page table (FSPT): see docs/memory.md.
//
// One host array for each half of a canonical address space, indexed by virtual page number and
// populated lazily. An entry holds, for reads and for writes, the difference between the host and
// the guest address of the page, or 0 if the access must take the slow path.
#pragma once

#include "base/types.h"

namespace uchronia::cpu {

struct TableEntry {
    u64 read = 0;   // host address - guest address, or 0
    u64 write = 0;  // the same, only if the page may be written without anyone noticing
};

inline constexpr u64 kTableEntryCount = u64{1} << 35;  // one half: 47 bits of address
inline constexpr u64 kTableIndexMask = kTableEntryCount - 1;

}  // namespace uchronia::cpu
