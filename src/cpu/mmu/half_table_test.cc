#include "cpu/mmu/half_table.h"

#include <gtest/gtest.h>

namespace uchronia::cpu {
namespace {

TEST(HalfTable, KnowsWhenItIsLargeAndGivesItsMemoryBack) {
    HalfTable table;
    constexpr u64 kStep = u64{1} << 20;  // bytes that the entries of one host page map
    constexpr u64 kCount = (u64{1} << 14) + 1;
    for (u64 i = 0; i < kCount; ++i) {
        EXPECT_FALSE(table.is_large());
        table.entry_for_fill(i * kStep).read = i + 1;
    }
    EXPECT_TRUE(table.is_large());
    EXPECT_EQ(table.entry_for_fill(kStep).read, 2u);
    table.renew();
    EXPECT_FALSE(table.is_large());
    EXPECT_EQ(table.entry_for_fill(kStep).read, 0u);
}

TEST(HalfTable, BothHalvesLieInOneArray) {
    HalfTable table;
    const TableEntry* lower = table.entries();
    table.set_half(Half::kUpper);
    EXPECT_EQ(table.entries(), lower + kTableEntryCount);
    const u64 address = ~u64{0} << 47;
    table.entry_for_fill(address).write = 7;
    EXPECT_EQ(table.entries()[0].write, 7u);
    table.clear_all();
    EXPECT_EQ(table.entries()[0].write, 0u);
}

}  // namespace
}  // namespace uchronia::cpu
