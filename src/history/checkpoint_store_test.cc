#include "history/checkpoint_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace uchronia::history {
namespace {

constexpr u64 kSize = u64{4} << 20;
constexpr StoredMoment kFirst{Ticks(10), VirtualTime(100)}, kSecond{Ticks(20), VirtualTime(150)};

// A RAM that a history has started from, and two checkpoints of it.
class Checkpoints : public testing::Test {
  protected:
    Checkpoints() {
        char name[] = "/tmp/uchronia-checkpoints-XXXXXX";
        folder_ = ::mkdtemp(name);
        ram_.write_page(1)[0] = 1;
        ram_.write_page(2)[0] = 2;
        start_ = ram_.snapshot();
        ram_.write_page(2)[0] = 0;  // zeros again
        ram_.write_page(3)[0] = 3;
        first_ = {ram_.snapshot(), {1, 2, 3}};
        ram_.write_page(4)[0] = 3;  // what another page has
        ram_.write_page(5)[0] = 5;
        second_ = {ram_.snapshot(), {4}};
        EXPECT_TRUE(store().save(kFirst, first_, *start_).ok());
        EXPECT_TRUE(store().save(kSecond, second_, *start_).ok());
    }
    ~Checkpoints() override { std::filesystem::remove_all(folder_); }

    CheckpointStore store() const { return CheckpointStore(folder_); }
    std::string path_of(const std::string& name) const { return folder_ + "/" + name; }
    std::string read(const std::string& name) const {
        std::ifstream file(path_of(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path_of(name), std::ios::binary) << bytes;
    }
    // True if it is there, as it was saved; false if there is an error.
    bool can_load(const StoredMoment& moment, const machine::Checkpoint& expected) {
        CheckpointStore store(folder_);
        const auto loaded = store.load(moment, frames_, *start_);
        if (!loaded)
            return false;
        EXPECT_EQ(loaded->state, expected.state);
        for (u64 page = 0; page < kSize >> kPageBits; ++page)
            EXPECT_EQ(loaded->ram->page(page)[0], expected.ram->page(page)[0]) << page;
        EXPECT_EQ(loaded->ram->digest(), expected.ram->digest());
        return true;
    }

    std::string folder_;
    memory::FrameStore frames_;
    memory::RAM ram_{frames_, kSize};
    std::shared_ptr<const memory::RAMSnapshot> start_;
    machine::Checkpoint first_, second_;
};

TEST_F(Checkpoints, AreLoadedByAnotherProcess) {
    EXPECT_EQ(store().moments(), (std::vector{kFirst, kSecond}));
    EXPECT_TRUE(can_load(kFirst, first_));
    EXPECT_TRUE(can_load(kSecond, second_));
    EXPECT_EQ(read("pages").size(), 2 * kPageSize) << "each content is there once";
}

TEST_F(Checkpoints, ThatAreDamagedAreNeverTakenForGood) {
    const std::string name = "20.150.checkpoint";
    for (const std::string& file : {name, std::string("digests"), std::string("pages")}) {
        std::filesystem::remove_all(folder_);
        ASSERT_TRUE(store().save(kSecond, second_, *start_).ok());
        const std::string good = read(file);
        const std::size_t step = file == "pages" ? 509 : 1;
        const auto expect_refusal = [&](const std::string& bad) {
            write(file, bad);
            EXPECT_FALSE(can_load(kSecond, second_)) << file << " of " << bad.size();
            EXPECT_TRUE(store().save(kSecond, second_, *start_).ok());
            EXPECT_TRUE(can_load(kSecond, second_)) << file << " of " << bad.size();
        };
        for (std::size_t at = 0; at < good.size(); at += step) {
            std::string bad = good;
            bad[at] = static_cast<char>(bad[at] ^ 0x10);
            expect_refusal(bad);
        }
        for (std::size_t size = 0; size < good.size(); size += step)
            expect_refusal(good.substr(0, size));
    }
}

// A process that was killed has left pages without digests.
TEST_F(Checkpoints, AreSavedOverWhatWasNeverFinished) {
    write("pages", read("pages") + std::string(6000, 'x'));
    write("digests", read("digests") + "abc");
    ram_.write_page(9)[0] = 9;
    const machine::Checkpoint third{ram_.snapshot(), {}};
    const StoredMoment moment{Ticks(30), VirtualTime(150)};
    EXPECT_TRUE(store().save(moment, third, *start_).ok());
    EXPECT_TRUE(can_load(moment, third));
    EXPECT_TRUE(can_load(kSecond, second_));
}

// Another process has mapped them, and goes on to use what it has loaded.
TEST_F(Checkpoints, KeepTheirPagesWhenDigestsAreLost) {
    CheckpointStore other(folder_);
    const auto loaded = other.load(kSecond, frames_, *start_);
    ASSERT_TRUE(loaded);
    const std::string pages = read("pages");
    ram_.write_page(9)[0] = 9;
    const machine::Checkpoint third{ram_.snapshot(), {}};
    const StoredMoment moment{Ticks(30), VirtualTime(150)};
    for (const std::size_t left : {0, 5, 16}) {
        write("digests", read("digests").substr(0, left));
        EXPECT_TRUE(store().save(moment, third, *start_).ok());
        EXPECT_EQ(read("pages").substr(0, pages.size()), pages) << left;
        EXPECT_EQ(loaded->ram->page(5)[0], 5) << left;
        EXPECT_TRUE(can_load(moment, third)) << left;
        EXPECT_TRUE(can_load(kSecond, second_)) << left;
    }
}

TEST_F(Checkpoints, ThatOthersHaveRemovedAreNoReasonToRemoveTheRest) {
    std::filesystem::remove(path_of("10.100.checkpoint"));
    EXPECT_FALSE(can_load(kFirst, first_));
    EXPECT_TRUE(can_load(kSecond, second_));
}

TEST_F(Checkpoints, OfAFolderThatCannotBeAreAnError) {
    write("file", "");
    CheckpointStore store(path_of("file"));
    EXPECT_FALSE(store.save(kFirst, first_, *start_).ok());
    EXPECT_TRUE(store.moments().empty());
}

}  // namespace
}  // namespace uchronia::history
