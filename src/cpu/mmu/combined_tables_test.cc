#include "cpu/mmu/combined_tables.h"

#include <gtest/gtest.h>

namespace uchronia::cpu {
namespace {

TEST(CombinedTables, ShowBothHalvesAsTheyAre) {
    CombinedTables combined;
    HalfTable lower, other, upper;
    upper.set_half(Half::kUpper);
    const TableEntry* both = combined.of(lower, upper);
    ASSERT_NE(both, nullptr) << "this host cannot map memory twice";
    lower.entry_for_fill(0x5000).read = 1;
    upper.entry_for_fill(~u64{0} << 47).write = 2;
    EXPECT_EQ(both[5].read, 1u);
    EXPECT_EQ(both[kTableEntryCount].write, 2u);
    EXPECT_EQ(combined.of(lower, upper), both);
    EXPECT_EQ(combined.of(other, upper)[5].read, 0u);
    EXPECT_EQ(combined.of(other, upper)[kTableEntryCount].write, 2u);
    lower.clear_all();
    EXPECT_EQ(both[5].read, 0u);
    // The lower half's own array does not show the upper half.
    EXPECT_EQ(lower.entries()[kTableEntryCount].write, 0u);
}

TEST(CombinedTables, HoldsAfterMemoryWasGivenBack) {
    CombinedTables combined;
    HalfTable lower, upper;
    upper.set_half(Half::kUpper);
    ASSERT_NE(combined.of(lower, upper), nullptr) << "this host cannot map memory twice";
    lower.entry_for_fill(0x5000).read = 1;
    lower.renew();
    upper.renew();
    combined.renew();
    EXPECT_EQ(combined.of(lower, upper)[5].read, 0u);
    lower.entry_for_fill(0x5000).read = 3;
    EXPECT_EQ(combined.of(lower, upper)[5].read, 3u);
}

TEST(CombinedTables, ManyPairsTakeTurns) {
    CombinedTables combined;
    std::array<HalfTable, 20> lower;
    HalfTable upper;
    upper.set_half(Half::kUpper);
    ASSERT_NE(combined.of(lower[0], upper), nullptr) << "this host cannot map memory twice";
    for (unsigned round = 0; round < 2; ++round) {
        for (u64 i = 0; i < lower.size(); ++i) {
            lower[i].entry_for_fill(0x1000).read = i + 1;
            EXPECT_EQ(combined.of(lower[i], upper)[1].read, i + 1);
        }
    }
}

}  // namespace
}  // namespace uchronia::cpu
