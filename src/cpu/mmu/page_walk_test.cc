// The page walk: levels, page sizes, the table of permissions, error codes, accessed and dirty
// bits.
#include "cpu/mmu/page_walk.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace uchronia::cpu {
namespace {

using namespace pte;

class WalkMemory final : public PhysicalMemory {
  public:
    static constexpr u64 kPages = 16;

    u64 page_count() const override { return kPages; }
    const u8* read_page(u64 page_number) override { return page(page_number); }
    u8* write_page(u64 page_number) override {
        ++writes;
        return page(page_number);
    }

    u64 entry(u64 page_number, unsigned index) {
        u64 value;
        std::memcpy(&value, page(page_number) + 8 * index, sizeof value);
        return value;
    }
    void set_entry(u64 page_number, unsigned index, u64 value) {
        std::memcpy(page(page_number) + 8 * index, &value, sizeof value);
    }

    unsigned writes = 0;

  private:
    u8* page(u64 page_number) {
        return page_number < kPages ? bytes_.data() + page_number * kPageSize : nullptr;
    }
    std::vector<u8> bytes_ = std::vector<u8>(kPages * kPageSize);
};

constexpr u64 kEverything = kPresent | kWritable | kUser;
constexpr Permissions kKernel = {
    .user = false, .ac = false, .write_protect = true, .smap = true, .smep = true, .nxe = true};

Permissions user_mode() {
    Permissions result = kKernel;
    result.user = true;
    return result;
}

// Tables of level n in page n; the walk of kAddress uses index n * 10 + n in each.
class PageWalkTest : public testing::Test {
  protected:
    static constexpr u64 kCR3 = 4 << kPageBits;
    static constexpr unsigned index_of(unsigned level) { return 11 * level; }
    static constexpr u64 kAddress =
        (u64{44} << 39) | (u64{33} << 30) | (u64{22} << 21) | (u64{11} << 12) | 0x123;
    static constexpr u64 kTarget = 9 << kPageBits;

    PageWalkTest() { map(1, kEverything); }

    // The leaf at `level`, with `flags` in all entries.
    void map(unsigned level, u64 flags) {
        for (unsigned table = 4; table > level; --table)
            memory.set_entry(table, index_of(table), (u64{table - 1} << kPageBits) | flags);
        memory.set_entry(level, index_of(level), level == 1 ? kTarget | flags : kLarge | flags);
    }
    void change(unsigned level, u64 set, u64 clear) {
        memory.set_entry(level, index_of(level),
                         (memory.entry(level, index_of(level)) | set) & ~clear);
    }
    u64 entry(unsigned level) { return memory.entry(level, index_of(level)); }
    Walk walk(Access access, const Permissions& permissions) {
        return walk_page_tables(memory, kCR3, kAddress, access, permissions);
    }

    WalkMemory memory;
};

TEST_F(PageWalkTest, EveryPageSize) {
    Walk result = walk(Access::kRead, kKernel);
    EXPECT_FALSE(result.ok);  // a user page: SMAP
    result = walk(Access::kRead, user_mode());
    EXPECT_TRUE(result.ok);
    EXPECT_EQ(result.physical, kTarget | 0x123);
    EXPECT_EQ(result.leaf_level, 1);
    EXPECT_EQ(result.table_count, 4);
    for (unsigned i = 0; i < 4; ++i)
        EXPECT_EQ(result.table_pages[i], 4 - i);

    map(2, kEverything);
    change(2, u64{6} << 21, 0);
    result = walk(Access::kRead, user_mode());
    EXPECT_TRUE(result.ok);
    EXPECT_EQ(result.physical, (u64{6} << 21) | (kAddress & ((u64{1} << 21) - 1)));
    EXPECT_EQ(result.leaf_level, 2);

    map(3, kEverything);
    change(3, u64{5} << 30, 0);
    result = walk(Access::kRead, user_mode());
    EXPECT_TRUE(result.ok);
    EXPECT_EQ(result.physical, (u64{5} << 30) | (kAddress & ((u64{1} << 30) - 1)));
    EXPECT_EQ(result.leaf_level, 3);
    EXPECT_EQ(result.table_count, 2);
}

TEST_F(PageWalkTest, NotPresentAtEachLevel) {
    for (unsigned level = 1; level <= 4; ++level) {
        map(1, kEverything);
        change(level, ~u64{1}, kPresent);  // nothing else of such an entry counts
        const Walk result = walk(Access::kWrite, user_mode());
        EXPECT_FALSE(result.ok);
        EXPECT_EQ(result.error_code, page_fault::kUser | page_fault::kWrite) << level;
    }
    EXPECT_EQ(memory.writes, 0u);
}

TEST_F(PageWalkTest, TablesOutsideMemoryAreNotPresent) {
    const Walk no_root = walk_page_tables(memory, u64{WalkMemory::kPages} << kPageBits, kAddress,
                                          Access::kRead, user_mode());
    EXPECT_FALSE(no_root.ok);
    EXPECT_EQ(no_root.error_code, page_fault::kUser);
    memory.set_entry(2, index_of(2), (u64{1} << 39) | kEverything);
    EXPECT_FALSE(walk(Access::kRead, user_mode()).ok);
}

TEST_F(PageWalkTest, ReservedBitsAtEachLevel) {
    struct Case {
        unsigned leaf, level;
        u64 bits;
    };
    std::vector<Case> cases = {{1, 4, kLarge}};
    for (unsigned level = 1; level <= 4; ++level) {
        cases.push_back({1, level, u64{1} << kPhysicalBits});
        cases.push_back({1, level, u64{1} << 51});
    }
    for (unsigned bit = 13; bit < 21; ++bit)
        cases.push_back({2, 2, u64{1} << bit});
    for (unsigned bit = 13; bit < 30; ++bit)
        cases.push_back({3, 3, u64{1} << bit});
    for (const Case& c : cases) {
        map(c.leaf, kEverything);
        change(c.level, c.bits, 0);
        const Walk result = walk(Access::kRead, user_mode());
        EXPECT_FALSE(result.ok);
        EXPECT_EQ(result.error_code,
                  page_fault::kUser | page_fault::kPresent | page_fault::kReserved)
            << c.leaf << " " << c.level << " " << c.bits;
    }
    // PAT of a large page, and the ignored bits.
    map(2, kEverything);
    change(2, u64{1} << 12 | u64{0x7f} << 52 | 0xe00, 0);
    EXPECT_TRUE(walk(Access::kRead, user_mode()).ok);
}

TEST_F(PageWalkTest, NoExecuteIsReservedWithoutNXE) {
    Permissions permissions = user_mode();
    change(3, kNoExecute, 0);
    EXPECT_TRUE(walk(Access::kRead, permissions).ok);
    Walk result = walk(Access::kFetch, permissions);
    EXPECT_FALSE(result.ok);
    EXPECT_EQ(result.error_code, page_fault::kUser | page_fault::kPresent | page_fault::kFetch);
    permissions.nxe = false;
    result = walk(Access::kRead, permissions);
    EXPECT_FALSE(result.ok);
    EXPECT_EQ(result.error_code, page_fault::kUser | page_fault::kPresent | page_fault::kReserved);
}

TEST_F(PageWalkTest, FetchBitOfTheErrorCode) {
    change(1, 0, kPresent);
    Permissions permissions = kKernel;
    EXPECT_EQ(walk(Access::kFetch, permissions).error_code, page_fault::kFetch);
    permissions.nxe = false;
    EXPECT_EQ(walk(Access::kFetch, permissions).error_code, page_fault::kFetch);
    permissions.smep = false;
    EXPECT_EQ(walk(Access::kFetch, permissions).error_code, 0u);
}

// APM vol. 2, 5.6: what the U/S, R/W and NX bits allow to whom. Any level may withhold a right.
TEST_F(PageWalkTest, Permissions) {
    for (unsigned bits = 0; bits < 1024; ++bits) {
        const auto bit = [&](unsigned n) { return ((bits >> n) & 1) != 0; };
        const bool page_user = bit(0), page_writable = bit(1), page_nx = bit(2);
        const Permissions permissions = {.user = bit(3),
                                         .ac = bit(4),
                                         .write_protect = bit(5),
                                         .smap = bit(6),
                                         .smep = bit(7),
                                         .nxe = true};
        for (unsigned level = 1; level <= 4; ++level) {
            map(1, kEverything);
            change(level, page_nx ? kNoExecute : 0,
                   (page_user ? 0 : kUser) | (page_writable ? 0 : kWritable));
            const bool may_see =
                permissions.user ? page_user : !page_user || !permissions.smap || permissions.ac;
            const bool may_write =
                may_see && (page_writable || (!permissions.user && !permissions.write_protect));
            const bool may_fetch =
                !page_nx && (permissions.user ? page_user : !(page_user && permissions.smep));
            const u32 user = permissions.user ? page_fault::kUser : 0;
            const auto expect = [&](Access access, bool allowed, u32 code) {
                const Walk result = walk(access, permissions);
                ASSERT_EQ(result.ok, allowed) << bits << " " << level;
                if (allowed) {
                    EXPECT_EQ(result.writable, page_writable);
                    EXPECT_EQ(result.user, page_user);
                } else {
                    EXPECT_EQ(result.error_code, page_fault::kPresent | user | code);
                }
            };
            expect(Access::kRead, may_see, 0);
            expect(Access::kWrite, may_write, page_fault::kWrite);
            expect(Access::kFetch, may_fetch, page_fault::kFetch);
        }
    }
}

TEST_F(PageWalkTest, AccessedAndDirtyBitsTogetherAndOnlyOnSuccess) {
    change(1, 0, kWritable);
    EXPECT_FALSE(walk(Access::kWrite, user_mode()).ok);
    for (unsigned level = 1; level <= 4; ++level)
        EXPECT_EQ(entry(level) & (kAccessed | kDirty), 0u);

    EXPECT_TRUE(walk(Access::kRead, user_mode()).ok);
    for (unsigned level = 1; level <= 4; ++level)
        EXPECT_EQ(entry(level) & (kAccessed | kDirty), kAccessed);

    change(1, kWritable, 0);
    EXPECT_TRUE(walk(Access::kWrite, user_mode()).dirty);
    EXPECT_EQ(entry(1) & (kAccessed | kDirty), kAccessed | kDirty);
    for (unsigned level = 2; level <= 4; ++level)
        EXPECT_EQ(entry(level) & (kAccessed | kDirty), kAccessed);

    memory.writes = 0;
    EXPECT_TRUE(walk(Access::kWrite, user_mode()).ok);
    EXPECT_TRUE(walk(Access::kRead, user_mode()).dirty);
    EXPECT_EQ(memory.writes, 0u);  // nothing to set: no page is asked for
}

TEST_F(PageWalkTest, DirtyBitOfALargePage) {
    map(2, kEverything);
    EXPECT_FALSE(walk(Access::kRead, user_mode()).dirty);
    EXPECT_TRUE(walk(Access::kWrite, user_mode()).dirty);
    EXPECT_EQ(entry(2) & (kAccessed | kDirty), kAccessed | kDirty);
    EXPECT_EQ(entry(3) & (kAccessed | kDirty), kAccessed);
}

// One page as all four tables: each level reads, and sets bits in, the same entry.
TEST_F(PageWalkTest, TableThatMapsItself) {
    const u64 address = (u64{44} << 39) | (u64{44} << 30) | (u64{44} << 21) | (u64{44} << 12);
    memory.set_entry(4, 44, kCR3 | kEverything);
    const Walk result = walk_page_tables(memory, kCR3, address, Access::kWrite, user_mode());
    EXPECT_TRUE(result.ok);
    EXPECT_EQ(result.physical, kCR3);
    EXPECT_EQ(memory.entry(4, 44), kCR3 | kEverything | kAccessed | kDirty);
}

TEST_F(PageWalkTest, ProbeChangesNothing) {
    u64 physical = 0;
    EXPECT_TRUE(probe_page_tables(memory, kCR3, kAddress, physical));
    EXPECT_EQ(physical, kTarget | 0x123);
    change(2, 0, kPresent);
    EXPECT_FALSE(probe_page_tables(memory, kCR3, kAddress, physical));
    EXPECT_EQ(memory.writes, 0u);
}

}  // namespace
}  // namespace uchronia::cpu
