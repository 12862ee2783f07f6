// Results of live_flags() that were asked for lately. Each is kept with the bytes that it depends
// on and used only while they are the same, so nothing has to be told when code changes.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "cpu/decode/live_flags.h"

namespace uchronia::cpu {

class LiveFlagsCache {
  public:
    // As live_flags(page, offset, CodeMode::k64).live. `page_number` only spreads the pages.
    u8 find(std::span<const u8, kPageSize> page, u64 page_number, u16 offset);

    void clear() { entries_.assign(kEntries, Entry()); }

  private:
    static constexpr std::size_t kEntries = 1024;
    static constexpr std::size_t kMostLines = 2;  // what depends on more is not kept
    struct Entry {
        u64 lines = 0;
        u16 offset = 0;
        u8 live = kAllFlags;
        std::array<u8, kMostLines * kScannedLine> bytes{};  // of `lines`, in their order
    };

    std::vector<Entry> entries_ = std::vector<Entry>(kEntries);
};

}  // namespace uchronia::cpu
