// One half of an address space in the flat software page table: 2^35 entries of host memory,
// reserved at once and populated as it is used.
//
// The host memory has room for both halves, of which the other one stays empty: so translated code
// finds an entry by 36 bits of the address, whichever half they name, and misses in the other half.
#pragma once

#include <vector>

#include "base/hash.h"
#include "cpu/mmu/page_table_cache.h"
#include "host/memory.h"

namespace uchronia::cpu {

enum class Half : u8 { kLower, kUpper };

class HalfTable {
  public:
    HalfTable();
    ~HalfTable();
    HalfTable(const HalfTable&) = delete;
    HalfTable& operator=(const HalfTable&) = delete;

    // Which half the table stands for from now on; it must be empty.
    void set_half(Half half);

    const TableEntry* entries() const { return entries_; }
    // The same entries at another place, in memory that has been reserved there.
    bool can_be_mapped_again() const { return memory_.usable(); }
    void map_again(TableEntry* at) const { memory_.map(at); }
    // The entry of an address (either half), about to be filled.
    TableEntry& entry_for_fill(u64 address);

    // Clears the entries of [address, address + size); cheap where nothing was filled.
    void clear(u64 address, u64 size);
    void clear_all();
    // The same, and gives the host's memory back.
    void renew();
    // Whether so much has been filled that it should be given back.
    bool is_large() const { return used_chunks_.size() > kMostChunks; }

    u32 id = 0;          // never reused; changes when the table is recycled
    u32 code_epoch = 0;  // counts the changes of mappings that code was fetched through
    u64 clearings = 0;   // counts everything that took an entry away
    unsigned users = 0;  // address spaces that refer to it
    Digest contents;     // for a shared upper half: the root's upper entries

  private:
    // A chunk is the entries in one host page.
    static constexpr u64 kChunkEntries = 4096 / sizeof(TableEntry);
    static constexpr std::size_t kMostChunks = 1u << 14;  // 64 MiB

    bool is_used(u64 chunk) const;
    void map_entries();
    void clear_entries(u64 first, u64 count);

    host::SharedMemory memory_;
    TableEntry* both_halves_ = nullptr;
    TableEntry* entries_ = nullptr;
    u64* used_bitmap_ = nullptr;
    std::vector<u32> used_chunks_;
};

}  // namespace uchronia::cpu
