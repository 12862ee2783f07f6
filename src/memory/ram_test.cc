#include "memory/ram.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <set>

namespace uchronia::memory {
namespace {

constexpr u64 kSize = u64{4} << 20;

class Watcher : public cpu::PageObserver {
  public:
    void page_moved(u64 page) override { moved.insert(page); }
    void page_replaced(u64 page, const u8* before) override {
        moved.insert(page);
        if (std::memcmp(before, ram->read_page(page), kPageSize) != 0)
            written.insert(page);
    }
    void page_protected(u64 page) override { protected_pages.insert(page); }
    void page_written(u64 page, u64, u64) override { written.insert(page); }

    RAM* ram = nullptr;
    std::set<u64> moved, protected_pages, written;
};

class RAMTest : public testing::Test {
  protected:
    RAMTest() : ram(frames, kSize) {
        ram.set_observer(watcher);
        forget();
    }
    void forget() {
        watcher = {};
        watcher.ram = &ram;
    }
    void place(u64 page, Frame* frame) {
        const PageTree::Change change{page, frame};
        ram.place({&change, 1});
    }

    FrameStore frames;
    RAM ram;
    Watcher watcher;
};

TEST_F(RAMTest, DigestDependsOnContentsAndPlaceOnly) {
    const Digest empty = ram.digest();
    ram.write_page(3)[5] = 7;
    const Digest at_three = ram.digest();
    EXPECT_NE(empty, at_three);
    ram.write_page(3)[5] = 0;
    ram.write_page(4)[5] = 7;
    const Digest at_four = ram.digest();
    EXPECT_NE(at_three, at_four);
    ram.write_page(4)[5] = 0;
    EXPECT_EQ(empty, ram.digest());
}

TEST_F(RAMTest, HashedPagesAreProtectedAgain) {
    ram.write_page(3)[0] = 1;
    EXPECT_TRUE(watcher.moved.contains(3));
    ram.digest();
    EXPECT_TRUE(watcher.protected_pages.contains(3));
    const Digest before = ram.digest();
    ram.write_page(3)[0] = 2;
    EXPECT_NE(before, ram.digest());
}

TEST_F(RAMTest, SnapshotIsNotTouchedByLaterWrites) {
    ram.write_page(3)[0] = 1;
    const auto first = ram.snapshot();
    ram.write_page(3)[0] = 2;
    ram.write_page(700)[0] = 9;
    const auto second = ram.snapshot();
    EXPECT_EQ(first->page(3)[0], 1);
    EXPECT_EQ(second->page(3)[0], 2);
    const Digest at_second = ram.digest();

    forget();
    ram.restore(first);
    EXPECT_EQ(watcher.moved, (std::set<u64>{3, 700}));
    EXPECT_EQ(watcher.written, (std::set<u64>{3, 700}));
    EXPECT_EQ(ram.read_page(3)[0], 1);
    EXPECT_EQ(ram.read_page(700)[0], 0);
    EXPECT_EQ(ram.digest(), first->digest());
    ram.write_page(3)[0] = 5;
    ram.restore(second);
    EXPECT_EQ(ram.read_page(3)[0], 2);
    EXPECT_EQ(ram.read_page(700)[0], 9);
    EXPECT_EQ(ram.digest(), at_second);
}

TEST_F(RAMTest, PlacedPagesAreInTheNextSnapshot) {
    const auto before = ram.snapshot();
    std::array<u8, kPageSize> contents{7};
    place(3, frames.borrow(contents.data(), digest_of(contents)));
    EXPECT_TRUE(watcher.moved.contains(3));
    EXPECT_TRUE(watcher.written.contains(3));
    const auto after = ram.snapshot();
    EXPECT_EQ(after->page(3)[0], 7);
    EXPECT_EQ(after->digest(), ram.digest());
    ram.restore(before);
    EXPECT_EQ(ram.read_page(3)[0], 0);
    ram.restore(after);
    EXPECT_EQ(ram.read_page(3)[0], 7);
    place(4, frames.zero());
    ram.write_page(4)[0] = 1;  // placed, then made private
    ram.restore(before);
    EXPECT_EQ(ram.read_page(4)[0], 0);
    EXPECT_EQ(ram.digest(), before->digest());
}

// Who keeps what was made of a page, such as translated code, may keep it.
TEST_F(RAMTest, ARestoreTellsOfChangedContentsOnly) {
    ram.write_page(1)[0] = 1;
    const auto before = ram.snapshot();
    ram.write_page(2)[0] = 1;
    ram.write_page(1)[0] = 1;  // the same, in another frame
    ram.digest();
    forget();
    ram.restore(before);
    EXPECT_EQ(watcher.moved, (std::set<u64>{1, 2}));
    EXPECT_EQ(watcher.written, (std::set<u64>{2}));
}

TEST_F(RAMTest, FramesAreFreedWithTheirLastOwner) {
    ram.write_page(1)[0] = 1;
    auto snapshot = ram.snapshot();
    ram.write_page(1)[0] = 2;
    EXPECT_EQ(frames.live_count(), 2u);
    auto later = ram.snapshot();
    snapshot.reset();
    EXPECT_EQ(frames.live_count(), 1u);
}

TEST_F(RAMTest, AccessOutsideRAMIsRefused) {
    u8 bytes[16] = {};
    EXPECT_TRUE(ram.write(PhysicalAddress(kSize - 16), bytes));
    EXPECT_FALSE(ram.write(PhysicalAddress(kSize - 15), bytes));
    EXPECT_FALSE(ram.read(PhysicalAddress(~u64{0} - 7), bytes));
    EXPECT_EQ(ram.read_page(kSize >> kPageBits), nullptr);
    EXPECT_EQ(ram.write_page(kSize >> kPageBits), nullptr);
}

TEST_F(RAMTest, DeviceWritesAreReported) {
    const u8 bytes[8192] = {1};
    EXPECT_TRUE(ram.write(PhysicalAddress(0x1800), bytes));
    EXPECT_EQ(watcher.written, (std::set<u64>{1, 2, 3}));
}

}  // namespace
}  // namespace uchronia::memory
