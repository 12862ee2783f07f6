#include "profile/btf.h"

#include <gtest/gtest.h>

#include "profile/testing.h"

namespace uchronia::profile {
namespace {

using testing::Builder;

constexpr u32 kInteger = 1u << 24, kStructure = 4u << 24, kUnion = 5u << 24, kTypedef = 8u << 24,
              kBitFields = 1u << 31;

// struct page { int flags; union { int lru; struct { int index; int mapping; }; }; };
// typedef struct page page_t;
// struct inode { int number; page_t page; };
// struct orc { int sp : 4; int bp : 4; };
// struct loop { struct loop; int inside; };     (which C does not allow)
std::vector<u8> sample() {
    Builder texts;
    texts.text("");
    const auto name = [&](std::string_view text) {
        const u32 offset = static_cast<u32>(texts.size());
        texts.text(text);
        return offset;
    };
    Builder types;
    const auto type = [&](u32 name_offset, u32 info, u32 size_or_type) {
        types.add(name_offset).add(info).add(size_or_type);
    };
    const auto member = [&](u32 name_offset, u32 type_id, u32 offset) {
        types.add(name_offset).add(type_id).add(offset);
    };
    type(name("int"), kInteger, 4);  // 1
    types.add(u32{32});
    type(0, kStructure | 2, 8);  // 2
    member(name("index"), 1, 0);
    member(name("mapping"), 1, 32);
    type(0, kUnion | 2, 8);  // 3
    member(name("lru"), 1, 0);
    member(0, 2, 0);
    type(name("page"), kStructure | 2, 12);  // 4
    member(name("flags"), 1, 0);
    member(0, 3, 32);
    type(name("page_t"), kTypedef, 4);        // 5
    type(name("inode"), kStructure | 2, 16);  // 6
    member(name("number"), 1, 0);
    member(name("page"), 5, 32);
    type(name("orc"), kBitFields | kStructure | 2, 4);  // 7
    member(name("sp"), 1, 4u << 24);
    member(name("bp"), 1, (4u << 24) | 4);
    type(name("loop"), kStructure | 3, 4);  // 8
    member(0, 8, 0);
    member(0, 8, 0);
    member(name("inside"), 1, 0);
    Builder file;
    file.add(u16{0xeb9f}).add(u8{1}).add(u8{0}).add(u32{24}).add(u32{0});
    file.add(static_cast<u32>(types.size())).add(static_cast<u32>(types.size()));
    file.add(static_cast<u32>(texts.size())).append(types.bytes).append(texts.bytes);
    return file.bytes;
}

TEST(BTF, FindsMembersAlsoInUnnamedParts) {
    const std::vector<u8> bytes = sample();
    const Result<BTF> btf = BTF::parse(bytes);
    ASSERT_TRUE(btf.ok());
    EXPECT_EQ(btf->size_of("page"), 12u);
    EXPECT_EQ(btf->offset_of("page", "flags"), 0u);
    EXPECT_EQ(btf->offset_of("page", "lru"), 4u);
    EXPECT_EQ(btf->offset_of("page", "mapping"), 8u);
    EXPECT_EQ(btf->offset_of("inode", "page.mapping"), 12u);
    EXPECT_EQ(btf->offset_of("inode", "page.nothing"), std::nullopt);
    EXPECT_EQ(btf->offset_of("inode", "number.flags"), std::nullopt);
    EXPECT_EQ(btf->offset_of("nothing", "flags"), std::nullopt);
}

TEST(BTF, FindsBitFields) {
    const std::vector<u8> bytes = sample();
    const Result<BTF> btf = BTF::parse(bytes);
    ASSERT_TRUE(btf.ok());
    const std::optional<BTF::Member> bp = btf->member("orc", "bp");
    ASSERT_TRUE(bp.has_value());
    EXPECT_EQ(bp->bit_offset, 4u);
    EXPECT_EQ(bp->bit_count, 4u);
    EXPECT_EQ(btf->offset_of("orc", "bp"), std::nullopt);
}

TEST(BTF, ComesToAnEndInTypesThatContainThemselves) {
    const std::vector<u8> bytes = sample();
    const Result<BTF> btf = BTF::parse(bytes);
    ASSERT_TRUE(btf.ok());
    EXPECT_EQ(btf->offset_of("loop", "nothing"), std::nullopt);
}

TEST(BTF, TakesAnyBytes) {
    testing::damage(sample(), [](std::vector<u8> bytes) {
        const Result<BTF> btf = BTF::parse(bytes);
        if (!btf)
            return;
        (void)btf->offset_of("inode", "page.mapping");
        (void)btf->member("orc", "bp");
    });
}

}  // namespace
}  // namespace uchronia::profile
