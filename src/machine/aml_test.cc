#include "machine/aml.h"

#include <gtest/gtest.h>

namespace uchronia::machine::aml {
namespace {

TEST(AML, Integers) {
    EXPECT_EQ(integer(0), (Bytes{0}));
    EXPECT_EQ(integer(1), (Bytes{1}));
    EXPECT_EQ(integer(0xff), (Bytes{0x0a, 0xff}));
    EXPECT_EQ(integer(0x1234), (Bytes{0x0b, 0x34, 0x12}));
    EXPECT_EQ(integer(0x12345678), (Bytes{0x0c, 0x78, 0x56, 0x34, 0x12}));
    EXPECT_EQ(integer(u64{1} << 32), (Bytes{0x0e, 0, 0, 0, 0, 1, 0, 0, 0}));
}

TEST(AML, NamesAndIdentifiers) {
    EXPECT_EQ(name("\\_S5", integer(1)), (Bytes{0x08, '\\', '_', 'S', '5', '_', 1}));
    EXPECT_EQ(eisa_id("PNP0501"), (Bytes{0x0c, 0x41, 0xd0, 0x05, 0x01}));
    EXPECT_EQ(string("ab"), (Bytes{0x0d, 'a', 'b', 0}));
}

TEST(AML, PackageLengths) {
    EXPECT_EQ(buffer(Bytes(60, 7))[1], 63);  // itself, the size (2 bytes), 60
    const Bytes two = buffer(Bytes(61, 7));
    EXPECT_EQ(two[1], 0x40 | 1);  // 65 = 0x41
    EXPECT_EQ(two[2], 4);
    EXPECT_EQ(two.size(), 66u);
    const Bytes three = buffer(Bytes(5000, 7));
    const u64 length = (three[1] & 15u) | three[2] << 4 | three[3] << 12;
    EXPECT_EQ(three[1] >> 6, 2);
    EXPECT_EQ(length, three.size() - 1);
}

TEST(AML, Resources) {
    EXPECT_EQ(io_ports(0x3f8, 8), (Bytes{0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8}));
    EXPECT_EQ(memory32_fixed(0xd0000000, 0x200), (Bytes{0x86, 9, 0, 1, 0, 0, 0, 0xd0, 0, 2, 0, 0}));
    EXPECT_EQ(level_interrupt(5), (Bytes{0x89, 6, 0, 1, 1, 5, 0, 0, 0}));
    EXPECT_EQ(resource_template({}), (Bytes{0x11, 5, 0x0a, 2, 0x79, 0}));
}

}  // namespace
}  // namespace uchronia::machine::aml
