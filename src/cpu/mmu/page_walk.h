// The page walk of long mode, as a pure reading of the page tables plus a list of what it would
// set.
//
// Canon where the manual leaves freedom: the accessed bits of all levels and the dirty bit of the
// leaf are set together, and only if the whole walk and its permission checks succeed.
//
// Source: APM vol. 2, 5.3 (long-mode page translation), 5.6 (protection), 8.4.2 (#PF error code).
#pragma once

#include "cpu/bus.h"
#include "cpu/fault.h"
#include "cpu/state.h"

namespace uchronia::cpu {

namespace pte {
inline constexpr u64 kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 1u << 5, kDirty = 1u << 6,
                     kLarge = 1u << 7, kNoExecute = u64{1} << 63;
// The model's physical address width (CPUID 80000008h).
inline constexpr unsigned kPhysicalBits = 40;
inline constexpr u64 kAddressMask = ((u64{1} << kPhysicalBits) - 1) & ~kPageMask;
inline constexpr u64 kReservedAddress = ((u64{1} << 52) - 1) & ~((u64{1} << kPhysicalBits) - 1);
}  // namespace pte

// The entry of an address in a table of a level (1: page table ... 4: root).
constexpr unsigned table_index(u64 address, unsigned level) {
    return (address >> (kPageBits + 9 * (level - 1))) & 511;
}

enum class Access : u8 { kRead, kWrite, kFetch };

// Who asks: what SMAP, SMEP and the U/S bits make of it.
struct Permissions {
    bool user;           // CPL 3
    bool ac;             // RFLAGS.AC lifts SMAP (false for implicit system accesses)
    bool write_protect;  // CR0.WP
    bool smap, smep, nxe;
};

struct Walk {
    bool ok = false;
    bool writable = false;  // by the mapping: all levels allow a write
    bool user = false;
    bool dirty = false;  // the leaf's dirty bit after the walk
    u8 leaf_level = 1;   // 1: 4 KiB, 2: 2 MiB, 3: 1 GiB
    u64 physical = 0;
    u32 error_code = 0;       // of #PF, if not ok
    u64 table_pages[4] = {};  // page numbers read, from level 4 (index 0) down to the leaf's
    u8 table_count = 0;
    u8 changed = 0;      // bit i: the entry in table_pages[i] has got an accessed or dirty bit
    bool waits = false;  // not ok: it would have had to set a bit, but was not to
};

enum class Bits : u8 { kMaySet, kKeep };

// Walks for `address` from the tables at `cr3`. On success sets the accessed and dirty bits; if it
// is to keep them, it waits where one is not set yet.
Walk walk_page_tables(PhysicalMemory& memory, u64 cr3, u64 address, Access access,
                      const Permissions& permissions, Bits bits = Bits::kMaySet);

// As walk_page_tables for reading by the supervisor, but changes nothing.
bool probe_page_tables(PhysicalMemory& memory, u64 cr3, u64 address, u64& physical);

}  // namespace uchronia::cpu
