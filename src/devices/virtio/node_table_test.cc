#include "devices/virtio/node_table.h"

#include <gtest/gtest.h>

#include "devices/state_testing.h"

namespace uchronia::devices {
namespace {

TEST(NodeTable, KnowsPaths) {
    NodeTable table;
    EXPECT_EQ(table.path_of(1), "/");
    const u64 usr = table.number_of(1, "usr");
    const u64 bin = table.number_of(usr, "bin");
    EXPECT_EQ(usr, 2u);
    EXPECT_EQ(bin, 3u);
    EXPECT_EQ(table.number_of(1, "bin"), 4u);
    EXPECT_EQ(table.number_of(usr, "bin"), bin);
    EXPECT_EQ(table.path_of(bin), "/usr/bin");
    EXPECT_EQ(table.parent_of(bin), usr);
    EXPECT_FALSE(table.contains(0));
    EXPECT_TRUE(table.contains(4));
    EXPECT_FALSE(table.contains(5));
}

TEST(NodeTable, SavesAndLoads) {
    NodeTable table, other;
    table.number_of(table.number_of(1, "usr"), "bin");
    other.number_of(1, "etc");
    copy_state(table, other);
    EXPECT_EQ(other.path_of(3), "/usr/bin");
    EXPECT_EQ(other.number_of(2, "bin"), 3u);
    EXPECT_EQ(other.number_of(1, "etc"), 4u);
}

TEST(NodeTable, IsHarmlessAfterACorruptLoad) {
    NodeTable table;
    table.number_of(table.number_of(1, "usr"), "bin");
    SavingVisitor saving;
    table.fields(saving);
    for (std::size_t i = 0; i < saving.saved().size(); ++i) {
        std::vector<u8> corrupt = saving.saved();
        corrupt[i] ^= 0x83;
        NodeTable other;
        LoadingVisitor loading(corrupt);
        other.fields(loading);
        for (u64 node = 1; node <= other.count(); ++node)
            EXPECT_FALSE(other.path_of(node).empty());
    }
}

}  // namespace
}  // namespace uchronia::devices
