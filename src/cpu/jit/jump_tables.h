// The tables through which a vCPU's indirect branches go: one for each of the keys that it has run
// under most recently (TranslatorFrame::link_key), so that a look-up compares the address only.
#pragma once

#include <array>
#include <vector>

#include "cpu/translator_frame.h"
#include "host/memory.h"

namespace uchronia::cpu::jit {

class JumpTables {
  public:
    static constexpr unsigned kIndexBits = 16;
    static constexpr u32 kCount = 1u << kIndexBits;  // entries of a table

    // The place for an address.
    static u32 index_of(u64 rip) { return static_cast<u32>(rip) & (kCount - 1); }

    JumpTables();
    ~JumpTables();
    JumpTables(const JumpTables&) = delete;
    JumpTables& operator=(const JumpTables&) = delete;

    // The table for a key, which is the present one from now on.
    JumpEntry* select(u32 key);
    // In the present table. `block`: the number of the block that the code belongs to.
    void add(const JumpEntry& entry, u32 block);
    void forget(u64 rip);
    u32 block_at(u64 rip) const { return present_->blocks[index_of(rip)]; }
    // In all of them.
    void clear();

  private:
    struct Table {
        u32 key = 0;
        u64 last_use = 0;
        bool taken = false;
        JumpEntry* entries = nullptr;           // kCount of them
        host::ZeroedArray<u32> blocks{kCount};  // costs what is used of it
        std::vector<u32> used;

        void clear();
    };
    static constexpr unsigned kTables = 16;
    static constexpr std::size_t kSize = kTables * kCount * sizeof(JumpEntry);

    // No address that is looked up at this place is that: zero, but at the place of address zero.
    static JumpEntry empty(u32 index) { return {.rip = index == 0 ? u64{1} : u64{0}}; }

    // Every return looks here, anywhere: in huge pages that costs the host no page walks.
    JumpEntry* const memory_;
    std::array<Table, kTables> tables_;
    Table* present_ = nullptr;
    u64 selections_ = 0;
};

}  // namespace uchronia::cpu::jit
