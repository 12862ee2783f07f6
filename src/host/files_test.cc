#include "host/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "host/file_lock.h"

namespace uchronia::host {
namespace {

class Files : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "files_test.XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string folder_;
};

TEST_F(Files, ReadsWhatWasWritten) {
    const std::string path = folder_ + "/a";
    ASSERT_TRUE(write_file_atomically(path, "first").ok());
    ASSERT_TRUE(write_file_atomically(path, "second, longer").ok());
    const auto contents = read_file(path);
    ASSERT_TRUE(contents.ok());
    EXPECT_EQ(std::string(contents->begin(), contents->end()), "second, longer");
    const auto entries = list_directory(folder_);
    ASSERT_TRUE(entries.ok());
    EXPECT_EQ(entries->size(), 1u) << "a temporary file was left behind";
}

TEST_F(Files, ReadsFilesWithoutASize) {
    const auto contents = read_file("/proc/self/status");
    ASSERT_TRUE(contents.ok());
    EXPECT_GT(contents->size(), 100u);
}

TEST_F(Files, ErrorsNameThePath) {
    const std::string missing = folder_ + "/missing";
    EXPECT_NE(read_file(missing).error().message.find(missing), std::string::npos);
    EXPECT_NE(map_file(missing).error().message.find("check the path"), std::string::npos);
    EXPECT_NE(list_directory(missing).error().message.find(missing), std::string::npos);
    EXPECT_FALSE(read_file(folder_).ok());
    EXPECT_FALSE(map_file(folder_).ok());
    EXPECT_FALSE(write_file_atomically(missing + "/x", "y").ok());
}

TEST_F(Files, AFailedReplacementLeavesNothingBehind) {
    ASSERT_TRUE(create_directories(folder_ + "/taken/inside").ok());
    EXPECT_FALSE(write_file_atomically(folder_ + "/taken", "x").ok());
    EXPECT_EQ(list_directory(folder_)->size(), 1u);
}

TEST_F(Files, AWriteThatFailsLeavesTheOldFile) {
    const std::string path = folder_ + "/a";
    ASSERT_TRUE(write_file_atomically(path, "old").ok());
    // The nearest thing to a full disk that needs no privilege: a limit on the size of files.
    const auto previous_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit previous{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &previous), 0);
    const rlimit small{4096, previous.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const Status status = write_file_atomically(path, std::string(10000, 'x'));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &previous), 0);
    std::signal(SIGXFSZ, previous_handler);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(read_file(path)->size(), 3u);
    EXPECT_EQ(list_directory(folder_)->size(), 1u);
}

TEST_F(Files, RemoveWhatAKilledWriterHasLeft) {
    const std::string path = folder_ + "/a";
    for (const char* left : {".new0", ".new1", ".new2"})
        ASSERT_TRUE(append_to_file(path + left, std::vector<u8>(3, 'x')).ok());
    ASSERT_TRUE(write_file_atomically(path, "whole").ok());
    EXPECT_EQ(list_directory(folder_)->size(), 1u);
    EXPECT_EQ(read_file(path)->size(), 5u);
}

TEST_F(Files, LeaveAloneWhatAnotherWriterMakes) {
    const std::string path = folder_ + "/a";
    const auto other = FileLock::take(path + ".new0", FileLock::Wait::kNo);
    ASSERT_TRUE(other.ok() && other->held());
    ASSERT_TRUE(write_file_atomically(path, "whole").ok());
    EXPECT_TRUE(exists(path + ".new0"));
    EXPECT_EQ(list_directory(folder_)->size(), 2u);
}

// Each finds whole files, and nothing is left.
TEST_F(Files, AreReplacedByManyAtOnce) {
    const std::string path = folder_ + "/a";
    ASSERT_TRUE(write_file_atomically(path, std::string(5000, 'a')).ok());
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (char c = 'a'; c < 'e'; ++c) {
        threads.emplace_back([&, c] {
            for (int i = 0; i < 100; ++i) {
                wrong += !write_file_atomically(path, std::string(5000, c)).ok();
                const auto read = read_file(path);
                wrong += !read || *read != std::vector<u8>(5000, read->front());
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(list_directory(folder_)->size(), 1u);
}

TEST_F(Files, ListsInOrderWithKinds) {
    ASSERT_TRUE(write_file_atomically(folder_ + "/b", "").ok());
    ASSERT_TRUE(create_directories(folder_ + "/c/d/e").ok());
    std::filesystem::create_symlink("b", folder_ + "/a");
    const auto entries = list_directory(folder_);
    ASSERT_TRUE(entries.ok());
    ASSERT_EQ(entries->size(), 3u);
    EXPECT_EQ((*entries)[0].name, "a");
    EXPECT_EQ((*entries)[0].kind, EntryKind::kSymbolicLink);
    EXPECT_EQ((*entries)[1].kind, EntryKind::kFile);
    EXPECT_EQ((*entries)[2].kind, EntryKind::kDirectory);
    EXPECT_TRUE(is_directory(folder_ + "/c/d/e"));
    EXPECT_TRUE(exists(folder_ + "/a"));
    EXPECT_FALSE(create_directories(folder_ + "/b/x").ok());
}

TEST_F(Files, MapsAFile) {
    const std::string path = folder_ + "/a";
    ASSERT_TRUE(write_file_atomically(path, "mapped").ok());
    auto mapped = map_file(path);
    ASSERT_TRUE(mapped.ok());
    // A replaced file does not change an existing mapping.
    ASSERT_TRUE(write_file_atomically(path, "other!").ok());
    const MappedFile moved = std::move(*mapped);
    EXPECT_EQ(std::string(moved.bytes().begin(), moved.bytes().end()), "mapped");
    ASSERT_TRUE(write_file_atomically(path, "").ok());
    EXPECT_TRUE(map_file(path)->bytes().empty());
    ASSERT_TRUE(remove_file(path).ok());
    EXPECT_TRUE(remove_file(path).ok());
}

}  // namespace
}  // namespace uchronia::host
