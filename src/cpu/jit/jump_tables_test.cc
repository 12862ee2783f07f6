#include "cpu/jit/jump_tables.h"

#include <gtest/gtest.h>

namespace uchronia::cpu::jit {
namespace {

JumpEntry entry_for(u64 rip) {
    static constexpr int kCode = 0;
    return {.rip = rip, .code = &kCode};
}

bool has(const JumpEntry* table, u64 rip) {
    return table[JumpTables::index_of(rip)].rip == rip;
}

TEST(JumpTables, NoAddressMatchesAnUnusedPlace) {
    JumpTables tables;
    const JumpEntry* table = tables.select(1);
    for (u32 index = 0; index < JumpTables::kCount; ++index) {
        EXPECT_NE(JumpTables::index_of(table[index].rip), index);
        EXPECT_EQ(table[index].code, nullptr);
    }
}

TEST(JumpTables, EachKeyHasItsOwn) {
    JumpTables tables;
    JumpEntry* first = tables.select(1);
    tables.add(first, entry_for(0x401000), 7);
    const JumpEntry* second = tables.select(2);
    EXPECT_FALSE(has(second, 0x401000));
    EXPECT_EQ(tables.select(1), first);
    EXPECT_TRUE(has(first, 0x401000));
    EXPECT_EQ(tables.block_at(first, 0x401000), 7u);
    tables.forget(first, 0x401000);
    EXPECT_FALSE(has(first, 0x401000));
    EXPECT_NE(JumpTables::index_of(first[JumpTables::index_of(0x401000)].rip),
              JumpTables::index_of(0x401000));
    EXPECT_EQ(tables.takeovers(), 0u);
}

TEST(JumpTables, ATableThatIsTakenOverIsEmpty) {
    JumpTables tables;
    for (u32 key = 1; key < 100; ++key) {
        JumpEntry* table = tables.select(key);
        EXPECT_FALSE(has(table, 0x401234));
        tables.add(table, entry_for(0x401234), 1);
        tables.add(table, entry_for(0x401234 + JumpTables::kCount), 1);
        EXPECT_TRUE(has(table, 0x401234 + JumpTables::kCount));
    }
    EXPECT_NE(tables.takeovers(), 0u);
    const JumpEntry* table = tables.select(99);
    EXPECT_TRUE(has(table, 0x401234 + JumpTables::kCount));
    tables.clear();
    EXPECT_FALSE(has(table, 0x401234 + JumpTables::kCount));
}

}  // namespace
}  // namespace uchronia::cpu::jit
