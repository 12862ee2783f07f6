// The tables through which indirect branches go: one for each of the keys that code has run under
// most recently (TranslatorFrame::link_key), so that a look-up compares the address only. All vCPUs
// share them.
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

    // The table for a key. It may be one that was another key's until now: who keeps tables has to
    // ask for them again if takeovers() has changed.
    JumpEntry* select(u32 key);
    u64 takeovers() const { return takeovers_; }
    // The least recently used one is taken over.
    void note_use(const JumpEntry* table) { table_of(table).last_use = ++uses_; }
    // `block`: the number of the block that the code belongs to.
    void add(JumpEntry* table, const JumpEntry& entry, u32 block);
    void forget(JumpEntry* table, u64 rip);
    u32 block_at(JumpEntry* table, u64 rip) { return table_of(table).blocks[index_of(rip)]; }
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
    static constexpr unsigned kTables = 32;
    static constexpr std::size_t kSize = kTables * kCount * sizeof(JumpEntry);

    Table& table_of(const JumpEntry* entries) {
        return tables_[static_cast<std::size_t>(entries - memory_) / kCount];
    }

    // No address that is looked up at this place is that: zero, but at the place of address zero.
    static JumpEntry empty(u32 index) { return {.rip = index == 0 ? u64{1} : u64{0}}; }

    // Every return looks here, anywhere: in huge pages that costs the host no page walks.
    JumpEntry* const memory_;
    std::array<Table, kTables> tables_;
    u64 uses_ = 0;
    u64 takeovers_ = 0;
};

}  // namespace uchronia::cpu::jit
