#include "cli/cache_contents.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>

#include "host/file_lock.h"
#include "host/files.h"

namespace uchronia::cli {
namespace {

// A cache folder with a file of each kind.
class CacheContents : public testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::remove_all(folder);
        for (const char* name :
             {"base", "code", "findings", "images", "imported", "kernel/boot", "store/v1/ab"})
            ASSERT_TRUE(host::create_directories(folder + "/" + name).ok());
        for (const char* name : {"base/aa.img", "base/aa.lock", "base/bb.img", "base/cc.img.new0",
                                 "code/11.code", "code/lock", "findings/x-seed-1.uch",
                                 "images/i.json", "imported/dd.img", "imported/dd.img.lock",
                                 "kernel/boot/vmlinuz", "last.uch", "store/v1/ab/x.zst", "else"})
            ASSERT_TRUE(host::write_file_atomically(folder + "/" + name, contents).ok());
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    std::vector<CacheEntry> list() const {
        const Result<std::vector<CacheEntry>> entries = list_cache(folder);
        return entries ? *entries : std::vector<CacheEntry>();
    }
    bool has(const std::string& name) const { return host::exists(folder + "/" + name); }

    const std::string contents = std::string(10'000, 'x');
    const std::string folder = testing::TempDir() + "cache_contents_test";
};

std::vector<std::string> paths_of(const std::vector<CacheEntry>& entries) {
    std::vector<std::string> paths;
    for (const CacheEntry& entry : entries)
        paths.push_back(entry.path);
    std::sort(paths.begin(), paths.end());
    return paths;
}

using Paths = std::vector<std::string>;

TEST_F(CacheContents, ListsAllButLocks) {
    EXPECT_EQ(paths_of(list()),
              (Paths{"base/aa.img", "base/bb.img", "base/cc.img.new0", "code/11.code", "else",
                     "findings/x-seed-1.uch", "images/i.json", "imported/dd.img", "kernel",
                     "last.uch", "store"}));
    EXPECT_GE(size_of(list()), 80'000u);
}

TEST_F(CacheContents, IsEmptyWithoutAFolder) {
    const Result<std::vector<CacheEntry>> entries = list_cache(folder + "/none");
    ASSERT_TRUE(entries.ok());
    EXPECT_TRUE(entries->empty());
}

TEST_F(CacheContents, NamesWhatIsToGo) {
    const auto names = [&](const char* what) { return paths_of(named(list(), what)); };
    EXPECT_EQ(names("base"), (Paths{"base/aa.img", "base/bb.img", "base/cc.img.new0"}));
    EXPECT_EQ(names("code"), (Paths{"code/11.code"}));
    EXPECT_EQ(names("findings"), (Paths{"findings/x-seed-1.uch"}));
    EXPECT_EQ(names("images"), (Paths{"images/i.json"}));
    EXPECT_EQ(names("imported"), (Paths{"imported/dd.img"}));
    EXPECT_EQ(names("all").size(), 8u);  // not the kernel, and not what is not ours
}

TEST_F(CacheContents, RemovesTheLeastRecentlyUsedFirst) {
    std::vector<CacheEntry> entries{
        {.kind = CacheKind::kBase, .path = "new", .size = 100, .last_use = 30, .description = {}},
        {.kind = CacheKind::kBase, .path = "old", .size = 100, .last_use = 10, .description = {}},
        {.kind = CacheKind::kCode, .path = "code", .size = 100, .last_use = 20, .description = {}},
        {.kind = CacheKind::kFindings, .path = "f", .size = 100, .last_use = 1, .description = {}}};
    EXPECT_EQ(paths_of(beyond_limit(entries, {}, 400)), Paths{});
    EXPECT_EQ(paths_of(beyond_limit(entries, {}, 399)), (Paths{"old"}));
    EXPECT_EQ(paths_of(beyond_limit(entries, {}, 200)), (Paths{"code", "old"}));
    EXPECT_EQ(paths_of(beyond_limit(entries, {}, 0)), (Paths{"code", "new", "old"}));
    const std::vector<CacheEntry> unneeded{
        {.kind = CacheKind::kStore, .path = "c", .size = 50, .last_use = 5, .description = {}}};
    EXPECT_EQ(paths_of(beyond_limit(entries, unneeded, 399)), (Paths{"c"}));
    entries[1].in_use = true;
    EXPECT_EQ(paths_of(beyond_limit(entries, {}, 399)), (Paths{"code"}));
}

TEST_F(CacheContents, ImportedBaseImagesStayForTwoDays) {
    const i64 now = std::time(nullptr);
    std::vector<CacheEntry> entries{
        {.kind = CacheKind::kImported, .path = "i", .size = 9, .last_use = now, .description = {}},
        {.kind = CacheKind::kImages,
         .path = "n",
         .size = 9,
         .last_use = 1,
         .description = "a of /"},
        {.kind = CacheKind::kImages,
         .path = "o",
         .size = 9,
         .last_use = 1,
         .description = "(no name) of /"}};
    EXPECT_EQ(paths_of(beyond_limit(entries, {}, 0)), Paths{});
    entries[0].last_use = now - 3 * 24 * 60 * 60;
    EXPECT_EQ(paths_of(beyond_limit(entries, {}, 0)), (Paths{"i"}));
    EXPECT_EQ(paths_of(oldest_nameless_image(entries)), (Paths{"o"}));
    entries[2].last_use = now;
    EXPECT_EQ(paths_of(oldest_nameless_image(entries)), Paths{});
}

TEST_F(CacheContents, RemovesFilesAndLeavesTheRest) {
    const Result<std::vector<CacheEntry>> removed = remove_entries(folder, named(list(), "base"));
    ASSERT_TRUE(removed.ok()) << removed.error().message;
    EXPECT_EQ(removed->size(), 3u);
    EXPECT_FALSE(has("base/aa.img"));
    EXPECT_TRUE(has("code/11.code"));
}

TEST_F(CacheContents, LeavesWhatIsBeingMade) {
    const std::vector<CacheEntry> before = list();
    const Result<host::FileLock> lock =
        host::FileLock::take(folder + "/base/aa.lock", host::FileLock::Wait::kYes);
    ASSERT_TRUE(lock.ok() && lock->held());
    EXPECT_EQ(paths_of(named(list(), "base")), (Paths{"base/bb.img", "base/cc.img.new0"}));
    const Result<std::vector<CacheEntry>> removed = remove_entries(folder, named(before, "base"));
    ASSERT_TRUE(removed.ok());
    EXPECT_TRUE(has("base/aa.img"));
    EXPECT_FALSE(has("base/bb.img"));
}

TEST_F(CacheContents, LeavesWhatMayBeBeingWritten) {
    const std::string path = folder + "/findings/y.uch.new0";
    ASSERT_TRUE(host::append_to_file(path, std::vector<u8>(10)).ok());
    EXPECT_EQ(paths_of(named(list(), "findings")), (Paths{"findings/x-seed-1.uch"}));
}

TEST_F(CacheContents, LeavesWhatAnotherProcessHasMapped) {
    int ready[2], done[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(done), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(done[1]);
        const Result<host::MappedFile> mapped = host::map_file(folder + "/base/bb.img");
        char byte = 0;
        const bool told = ::write(ready[1], &byte, 1) == 1 && ::read(done[0], &byte, 1) == 0;
        ::_exit(mapped && told ? 0 : 1);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_EQ(paths_of(named(list(), "base")), (Paths{"base/aa.img", "base/cc.img.new0"}));
    EXPECT_EQ(paths_of(beyond_limit(list(), {}, 0)),
              (Paths{"base/aa.img", "base/cc.img.new0", "code/11.code"}));
    ::close(done[1]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace uchronia::cli
