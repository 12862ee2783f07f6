#include "history/file_record.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

namespace uchronia::history {
namespace {

// A host whose files can be changed, and that counts the questions.
class TestFiles final : public host::FileSource {
  public:
    host::FileResult<host::FileAttributes> attributes(const std::string& path) override {
        ++questions;
        if (!files.contains(path))
            return host::FileError{ENOENT};
        return host::FileAttributes{.mode = S_IFREG | 0644, .size = files[path].size()};
    }
    host::FileResult<std::shared_ptr<const host::DirectoryListing>> list(
        const std::string&) override {
        ++questions;
        host::DirectoryListing listing;
        for (const auto& [path, content] : files)
            listing.push_back({path, S_IFREG});
        return std::make_shared<const host::DirectoryListing>(listing);
    }
    host::FileResult<u64> read(const std::string& path, u64 offset, std::span<u8> bytes) override {
        ++questions;
        if (!files.contains(path))
            return host::FileError{ENOENT};
        const std::string part = files[path].substr(offset, bytes.size());
        std::memcpy(bytes.data(), part.data(), part.size());
        return u64{part.size()};
    }
    host::FileResult<std::string> read_link(const std::string&) override {
        ++questions;
        return host::FileError{EINVAL};
    }

    std::map<std::string, std::string> files;
    int questions = 0;
};

std::string text_of(RecordedFiles& files, const std::string& path) {
    std::vector<u8> bytes(100);
    const host::FileResult<u64> count = files.read(path, 0, bytes);
    if (!count.ok())
        return "error " + std::to_string(count.error());
    return std::string(bytes.begin(), bytes.begin() + static_cast<long>(*count));
}

class RecordedFilesTest : public testing::Test {
  protected:
    RecordedFilesTest() { host_.files = {{"/work/a", "alpha"}, {"/usr/b", "beta"}}; }

    // Asks everything that the tests compare.
    std::string ask_all(FileRecord& record) {
        RecordedFiles files(record, host_, {.kept = {"/work", "/usr"}, .not_kept = {"/usr"}});
        std::string result = text_of(files, "/work/a") + "," + text_of(files, "/usr/b") + "," +
                             text_of(files, "/none");
        result += "," + std::to_string(files.attributes("/work/a")->size);
        result += "," + std::to_string(files.attributes("/none").error());
        result += "," + std::to_string((*files.list("/"))->size());
        result += "," + std::to_string(files.read_link("/x").error());
        changed_ = files.changed_file();
        return result;
    }

    TestFiles host_;
    std::optional<std::string> changed_;
};

TEST_F(RecordedFilesTest, RecordsAndReplays) {
    FileRecord record;
    const std::string first = ask_all(record);
    EXPECT_EQ(first, "alpha,beta,error 2,5,2,2,22");
    const int asked = host_.questions;
    EXPECT_EQ(ask_all(record), first);
    // Only the bytes of the system's file come from the host again.
    EXPECT_EQ(host_.questions, asked + 1);
    EXPECT_FALSE(changed_.has_value());
}

TEST_F(RecordedFilesTest, KeepsWhatTheUserWorksOn) {
    FileRecord record;
    const std::string first = ask_all(record);
    host_.files["/work/a"] = "changed and longer";
    host_.files["/work/new"] = "";
    host_.files["/none"] = "now there";
    EXPECT_EQ(ask_all(record), first);
    EXPECT_FALSE(changed_.has_value());
}

TEST_F(RecordedFilesTest, NamesASystemFileThatChanged) {
    FileRecord record;
    ask_all(record);
    host_.files["/usr/b"] = "BETA";
    ask_all(record);
    EXPECT_EQ(changed_, "/usr/b");
    host_.files.erase("/usr/b");
    changed_.reset();
    ask_all(record);
    EXPECT_EQ(changed_, "/usr/b");
}

TEST_F(RecordedFilesTest, TakesFromTheStoreWhatTheHostHasNoMore) {
    char folder[] = "/tmp/uchronia-record-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    const ContentStore store(folder);
    FileRecord record;
    const RecordedFiles::Folders folders{.kept = {"/work"}, .not_kept = {}};
    RecordedFiles recording(record, host_, folders, &store);
    EXPECT_EQ(text_of(recording, "/work/a") + text_of(recording, "/usr/b"), "alphabeta");
    const Digest digest = record.blocks.at({"/usr/b", 0, 100}).value.digest;
    EXPECT_FALSE(store.has(digest));
    ASSERT_TRUE(recording.keep_contents().ok());
    EXPECT_TRUE(store.has(digest));
    EXPECT_FALSE(store.has(record.blocks.at({"/work/a", 0, 100}).value.digest));

    for (const bool is_gone : {false, true}) {
        host_.files["/usr/b"] = "another beta";
        if (is_gone)
            host_.files.clear();
        RecordedFiles replay(record, host_, folders, &store);
        EXPECT_EQ(text_of(replay, "/work/a") + text_of(replay, "/usr/b"), "alphabeta");
        EXPECT_FALSE(replay.changed_file().has_value());
    }
    std::filesystem::remove_all(folder);
    RecordedFiles replay(record, host_, folders, &store);
    text_of(replay, "/usr/b");
    EXPECT_EQ(replay.changed_file(), "/usr/b");
}

TEST_F(RecordedFilesTest, AnswersStayTheSameDuringARun) {
    FileRecord record;
    RecordedFiles files(record, host_, {.kept = {}, .not_kept = {}});
    EXPECT_EQ(files.attributes("/work/a")->size, 5u);
    host_.files["/work/a"] = "longer than before";
    EXPECT_EQ(files.attributes("/work/a")->size, 5u);
}

}  // namespace
}  // namespace uchronia::history
