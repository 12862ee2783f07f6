#include "history/content_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "host/files.h"

namespace uchronia::history {
namespace {

std::vector<u8> content(u8 first, std::size_t size) {
    std::vector<u8> bytes(size, 7);
    bytes[0] = first;
    return bytes;
}

class ContentStoreTest : public testing::Test {
  protected:
    ContentStoreTest() {
        char folder[] = "/tmp/uchronia-store-XXXXXX";
        folder_ = mkdtemp(folder);
    }
    ~ContentStoreTest() override { std::filesystem::remove_all(folder_); }

    std::string folder_;
};

TEST_F(ContentStoreTest, GivesBackWhatWasPutThere) {
    const ContentStore store(folder_ + "/below/store");
    const std::vector<u8> bytes = content(1, 100'000);
    const Digest digest = digest_of(bytes);
    EXPECT_FALSE(store.has(digest));
    EXPECT_FALSE(store.get(digest).has_value());
    ASSERT_TRUE(store.put(digest, bytes).ok());
    EXPECT_TRUE(store.has(digest));
    EXPECT_EQ(store.get(digest), bytes);
    EXPECT_LT(std::filesystem::file_size(store.path_of(digest)), 1000u);
    ASSERT_TRUE(store.put(digest, bytes).ok());
}

TEST_F(ContentStoreTest, ForgetsWhatIsDamaged) {
    const ContentStore store(folder_);
    const std::vector<u8> bytes = content(1, 5000);
    const Digest digest = digest_of(bytes);
    ASSERT_TRUE(store.put(digest, bytes).ok());
    const std::vector<u8> stored = *host::read_file(store.path_of(digest));
    const auto damage = [&](const std::vector<u8>& file) {
        ASSERT_TRUE(host::write_file_atomically(store.path_of(digest), file).ok());
        EXPECT_FALSE(store.get(digest).has_value());
        EXPECT_FALSE(store.has(digest));
    };
    for (std::size_t size = 0; size < stored.size(); ++size)
        damage({stored.begin(), stored.begin() + static_cast<long>(size)});
    damage(std::vector<u8>(100, 0xff));
    const std::vector<u8> other = content(2, 5000);
    ASSERT_TRUE(store.put(digest_of(other), other).ok());
    damage(*host::read_file(store.path_of(digest_of(other))));
    ASSERT_TRUE(store.put(digest, bytes).ok());
    EXPECT_EQ(store.get(digest), bytes);
}

// Puts the same contents as others do, and takes them; the exit status of a process.
int put_and_take(const ContentStore& store) {
    for (u8 first = 0; first < 50; ++first) {
        const std::vector<u8> bytes = content(first, 3000);
        const Digest digest = digest_of(bytes);
        if (!store.put(digest, bytes) || store.get(digest) != bytes)
            return 1;
    }
    return 0;
}

TEST_F(ContentStoreTest, IsUsedByManyAtOnce) {
    const ContentStore store(folder_);
    std::vector<pid_t> children(4);
    for (pid_t& child : children) {
        child = fork();
        ASSERT_GE(child, 0);
        if (child == 0)
            _exit(put_and_take(store));
    }
    for (const pid_t child : children) {
        int status = -1;
        EXPECT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_))
        EXPECT_TRUE(entry.is_directory() || entry.path().extension() == ".zst") << entry.path();
}

TEST_F(ContentStoreTest, IsNotDisturbedByTheLeftoversOfACrash) {
    const ContentStore store(folder_);
    const std::vector<u8> bytes = content(1, 3000);
    const Digest digest = digest_of(bytes);
    ASSERT_TRUE(store.put(digest, bytes).ok());
    std::filesystem::rename(store.path_of(digest), store.path_of(digest) + ".new0");
    EXPECT_FALSE(store.has(digest));
    ASSERT_TRUE(store.put(digest, bytes).ok());
    EXPECT_EQ(store.get(digest), bytes);
}

TEST_F(ContentStoreTest, SaysWhereItCannotWrite) {
    ASSERT_TRUE(host::write_file_atomically(folder_ + "/file", "text").ok());
    const ContentStore store(folder_ + "/file");
    const std::vector<u8> bytes = content(1, 10);
    const Status status = store.put(digest_of(bytes), bytes);
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().message.find(folder_ + "/file"), std::string::npos);
}

}  // namespace
}  // namespace uchronia::history
