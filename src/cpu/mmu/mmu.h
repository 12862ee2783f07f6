// Address translation of a machine: the page walk of the AMD64 and the caches over it.
//
// There is no architectural TLB: every access behaves as a fresh page walk (docs/memory.md). What is
// cached (FSPT entries, code lookups) is kept coherent by tracing stores to pages that the walker
// has read as page tables. So INVLPG and CR3 loads flush nothing, and nothing cached is visible.
//
// Invariants:
//   - a read entry exists only if a walk would succeed without changing memory (accessed bit set);
//   - a write entry exists only if moreover the mapping is writable, its dirty bit is set, the page
//     is private since the last checkpoint, is no page table, has no decoded code and no watchpoint;
//   - a page with any entry has them on its reverse list.
//
// Source: APM vol. 2, 5 (page translation and protection).
#pragma once

#include <memory>

#include "cpu/bus.h"
#include "cpu/fault.h"
#include "cpu/mmu/page_table_cache.h"
#include "cpu/op.h"

namespace uchronia::cpu {

struct SlowRead {
    u64 value;
    bool ok;  // false: the exit is recorded in the VCPU
};

class MMU {
  public:
    // Slow paths of cpu/access.h. On false the exit (fault, or Exit::kAlone) is recorded.
    // `size` is 1, 2, 4 or 8.
    SlowRead read_slow(VCPU& cpu, const Op* op, u64 address, u32 size);
    bool write_slow(VCPU& cpu, const Op* op, u64 address, u32 size, u64 value);
    SlowRead read_for_write_slow(VCPU& cpu, const Op* op, u64 address, u32 size);
    // Any size up to a page.
    bool read_bytes_slow(VCPU& cpu, const Op* op, u64 address, void* data, u32 size);
    bool write_bytes_slow(VCPU& cpu, const Op* op, u64 address, const void* data, u32 size);
    bool check_writable_slow(VCPU& cpu, const Op* op, u64 address, u32 size);
};

}  // namespace uchronia::cpu
