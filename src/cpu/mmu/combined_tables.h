// A user's lower half and the kernel's upper half in one array: what kernel code with AC set sees.
// The same host memory as in the two tables, mapped a second time.
#pragma once

#include <array>

#include "cpu/mmu/half_table.h"

namespace uchronia::cpu {

class CombinedTables {
  public:
    CombinedTables() = default;
    ~CombinedTables();
    CombinedTables(const CombinedTables&) = delete;
    CombinedTables& operator=(const CombinedTables&) = delete;

    // What 36 bits of an address index, or null if the host's memory cannot be mapped twice. Good
    // until kMostCombined - 1 other pairs have been asked for.
    const TableEntry* of(const HalfTable& lower, const HalfTable& upper);
    // Gives back the host memory that looking into them has cost.
    void renew();

  private:
    static constexpr std::size_t kMostCombined = 16;
    struct Combined {
        const HalfTable* lower = nullptr;
        const HalfTable* upper = nullptr;
        TableEntry* base = nullptr;
        u64 last_use = 0;
    };
    std::array<Combined, kMostCombined> combined_;
    Combined* last_ = &combined_[0];
    u64 clock_ = 0;
};

}  // namespace uchronia::cpu
