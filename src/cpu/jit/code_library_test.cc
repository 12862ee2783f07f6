#include "cpu/jit/code_library.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cpu/jit/block_image.h"

namespace uchronia::cpu::jit {
namespace {

constexpr Digest kIdentity{1, 2};

// A block of one byte of code in each part, told apart by `mark`.
std::vector<u8> image(u8 mark) {
    std::array<u8, 8> code{mark, 0x90, 0x90, 0x90, mark, 0x90, 0x90, 0x90};
    const BlockCode parts{.hot = code.data(),
                          .cold = code.data() + 4,
                          .hot_area = code.data(),
                          .cold_area = code.data() + 4,
                          .hot_size = 4,
                          .cold_size = 4};
    TranslatedBlock block;
    block.offset = mark;
    block.end = static_cast<u16>(mark + 1);
    block.count = 1;
    block.lines = 1;
    block.direct = block.indirect = parts.hot;
    std::vector<u8> images;
    EXPECT_TRUE(append_image(images, block, {}, parts, {}, {}));
    return images;
}

Digest page(u64 number) {
    return {number, 77};
}

class CodeLibraryTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = testing::TempDir() + "/code_library." +
                  testing::UnitTest::GetInstance()->current_test_info()->name();
        clear();
    }
    void TearDown() override { clear(); }

    std::unique_ptr<CodeLibrary> opened(CodeLibrary::Limits limits = {},
                                        Digest identity = kIdentity) {
        auto library = std::make_unique<CodeLibrary>(folder_, limits);
        EXPECT_TRUE(library->open(identity));
        return library;
    }
    std::string file(Digest identity = kIdentity) const {
        return folder_ + "/" + to_hex(identity) + ".code";
    }
    void clear() {
        if (const auto entries = host::list_directory(folder_)) {
            for (const host::FolderEntry& entry : *entries)
                (void)host::remove_file(folder_ + "/" + entry.name);
        }
    }

    std::string folder_;
};

std::size_t count_of(CodeLibrary& library, u64 number) {
    return library.find(page(number)).size();
}

TEST_F(CodeLibraryTest, GivesWhatWasAdded) {
    CodeLibrary library;
    ASSERT_TRUE(library.open(kIdentity));
    EXPECT_EQ(count_of(library, 1), 0u);
    library.add(page(1), image(1));
    library.add(page(1), image(2));
    const auto pieces = library.find(page(1));
    ASSERT_EQ(pieces.size(), 2u);
    EXPECT_EQ(BlockImage(pieces[0].images).header().offset, 1);
    EXPECT_EQ(BlockImage(pieces[1].images).header().offset, 2);
    EXPECT_TRUE(library.save());  // nowhere
}

TEST_F(CodeLibraryTest, IsForOneIdentity) {
    CodeLibrary library;
    EXPECT_FALSE(library.open({}));
    EXPECT_TRUE(library.open(kIdentity));
    EXPECT_TRUE(library.open(kIdentity));
    EXPECT_FALSE(library.open({3, 4}));
}

TEST_F(CodeLibraryTest, KeepsThingsBetweenProcesses) {
    const auto first = opened();
    const auto beside = opened();  // has read nothing of what the first one saves
    first->add(page(1), image(1));
    ASSERT_TRUE(first->save());
    first->add(page(2), image(2));
    ASSERT_TRUE(first->save());
    beside->add(page(3), image(3));
    ASSERT_TRUE(beside->save());
    const auto later = opened();
    for (u64 number : {1, 2, 3})
        EXPECT_EQ(count_of(*later, number), 1u) << number;
    EXPECT_EQ(later->counters().damaged, 0u);
    EXPECT_EQ(count_of(*opened({}, {9, 9}), 1), 0u);
}

TEST_F(CodeLibraryTest, LeavesOutWhatIsDamagedAndGoesOn) {
    const auto first = opened();
    for (u64 number : {1, 2, 3})
        first->add(page(number), image(static_cast<u8>(number)));
    ASSERT_TRUE(first->save());
    std::vector<u8> bytes = *host::read_file(file());
    const std::size_t record = (bytes.size() - 32) / 3;
    bytes[32 + 2 * record - 20] ^= 1;         // in the second one's images
    bytes.resize(bytes.size() - record / 2);  // and the third one is torn
    ASSERT_TRUE(host::write_private_file_at(file(), 0, bytes));
    const auto second = opened();
    EXPECT_EQ(count_of(*second, 1), 1u);
    EXPECT_EQ(count_of(*second, 2), 0u);
    EXPECT_EQ(count_of(*second, 3), 0u);
    EXPECT_EQ(second->counters().damaged, 1u);
    second->add(page(4), image(4));
    ASSERT_TRUE(second->save());
    const auto third = opened();
    EXPECT_EQ(count_of(*third, 1), 1u);
    EXPECT_EQ(count_of(*third, 4), 1u);
}

TEST_F(CodeLibraryTest, IgnoresAFileThatOthersMayWrite) {
    const auto first = opened();
    first->add(page(1), image(1));
    ASSERT_TRUE(first->save());
    ASSERT_EQ(::chmod(file().c_str(), 0666), 0);
    EXPECT_EQ(count_of(*opened(), 1), 0u);
}

TEST_F(CodeLibraryTest, ForgetsInGenerationsWhatIsNotAskedFor) {
    CodeLibrary library("", {.memory = 10 * image(1).size()});
    ASSERT_TRUE(library.open(kIdentity));
    for (u64 number = 0; number < 100; ++number) {
        library.add(page(number), image(1));
        EXPECT_EQ(count_of(library, 0), 1u) << number;  // is asked for
    }
    EXPECT_EQ(count_of(library, 1), 0u);
    EXPECT_EQ(count_of(library, 99), 1u);
    EXPECT_GT(library.counters().generations, 5u);
}

TEST_F(CodeLibraryTest, ReplacesALargeFileByWhatIsInUse) {
    const CodeLibrary::Limits limits{.file = 2000};
    for (u64 number = 0; number < 40; ++number) {
        const auto library = opened(limits);
        (void)library->find(page(0));
        library->add(page(number), image(1));
        ASSERT_TRUE(library->save());
        ASSERT_LE(host::read_file(file())->size(), 2000u);
    }
    const auto last = opened(limits);
    EXPECT_GE(count_of(*last, 0), 1u);
    EXPECT_EQ(count_of(*last, 39), 1u);
    EXPECT_EQ(count_of(*last, 1), 0u);
}

TEST_F(CodeLibraryTest, LeavesAFewFilesOfOthers) {
    for (u64 identity = 1; identity < 9; ++identity) {
        const auto library = opened({.other_files = 2}, {identity, 0});
        library->add(page(1), image(1));
        ASSERT_TRUE(library->save());
    }
    EXPECT_EQ(host::list_directory(folder_)->size(), 4u);  // three of code, and the lock
    EXPECT_TRUE(host::exists(file({8, 0})));
}

TEST_F(CodeLibraryTest, RefusesImagesThatReachBeyondThemselves) {
    std::vector<u8> bytes = image(1);
    EXPECT_TRUE(are_sound(bytes));
    EXPECT_FALSE(are_sound(std::span(bytes).first(bytes.size() - 8)));
    for (std::size_t at = 0; at < sizeof(BlockImageHeader); ++at) {
        std::vector<u8> changed = bytes;
        changed[at] ^= 0x80;
        (void)are_sound(changed);  // whatever it says, it stays within the bytes
    }
    std::vector<u8> direct = bytes;
    direct[offsetof(BlockImageHeader, direct)] = 200;
    EXPECT_FALSE(are_sound(direct));
}

}  // namespace
}  // namespace uchronia::cpu::jit
