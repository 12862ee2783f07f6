// What a run learned of the host's files: every question with its answer, so that a replay gets
// the same answers after the files have changed.
//
// Of the content of files, the digest of each block that was read is kept; the bytes themselves
// only for files in the folders that the user works in (RecordedFiles), as system folders are large
// and change rarely. Those go to a content store. A replay takes them from the host as long as they
// are the recorded ones, else from the store; if neither has them, it says which file it was.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/fields.h"
#include "base/hash.h"
#include "base/result.h"
#include "history/content_store.h"
#include "host/file_source.h"

namespace uchronia::history {

// An answer of FileSource: `error` is an errno, or 0 and the value counts.
template <class T>
struct Answer {
    int error = 0;
    T value{};

    bool operator==(const Answer&) const = default;
};

struct BlockQuestion {
    std::string path;
    u64 offset = 0;
    u64 size = 0;

    auto operator<=>(const BlockQuestion&) const = default;
};

struct Block {
    u64 size = 0;
    Digest digest;
    std::vector<u8> bytes;  // empty, or all of them

    bool operator==(const Block&) const = default;
};

struct FileRecord {
    using Listing = std::shared_ptr<const host::DirectoryListing>;

    std::map<std::string, Answer<host::FileAttributes>> attributes;
    std::map<std::string, Answer<Listing>> listings;
    std::map<std::string, Answer<std::string>> links;
    std::map<BlockQuestion, Answer<Block>> blocks;

    // The record's binary form in a history file.
    void fields(FieldVisitor& v);
    bool empty() const;

    bool operator==(const FileRecord& other) const;
};

// Files that answer from the record where it has the answer, and else from the host, whose answer
// is added to the record. An empty record records; a complete one replays.
class RecordedFiles final : public host::FileSource {
  public:
    // What becomes of the bytes of files that are in no `kept` folder.
    enum class Others : u8 {
        kToStore,  // they are the host's, which may change
        kNothing,  // they are an image's, whose contents the store has
    };
    // Bytes of files in the `kept` folders (and in none of `not_kept`) go into the record.
    struct Folders {
        std::vector<std::string> kept;
        std::vector<std::string> not_kept;
        Others others = Others::kToStore;
    };
    // `store` (null: none) must outlive this.
    RecordedFiles(FileRecord& record, host::FileSource& host, Folders folders,
                  const ContentStore* store = nullptr);

    host::FileResult<host::FileAttributes> attributes(const std::string& path) override;
    host::FileResult<std::shared_ptr<const host::DirectoryListing>> list(
        const std::string& path) override;
    host::FileResult<u64> read(const std::string& path, u64 offset, std::span<u8> bytes) override;
    host::FileResult<std::string> read_link(const std::string& path) override;

    // The first file whose recorded bytes are neither on the host any more nor in the store.
    const std::optional<std::string>& changed_file() const { return changed_file_; }

    // Brings into the store what was read and is not in the record itself. Until then it is kept in
    // memory, so that a run does not wait for the disk; a great deal is written at once.
    Status keep_contents();

  private:
    bool keeps(const std::string& path, u64 size) const;
    bool is_stored_already(const std::string& path) const;
    host::FileResult<u64> read_host(const std::string& path, u64 offset, std::span<u8> bytes,
                                    const Answer<Block>& recorded);
    host::FileResult<u64> read_and_record(BlockQuestion question, std::span<u8> bytes);
    void keep_later(Digest digest, std::span<const u8> content);

    FileRecord& record_;
    host::FileSource& host_;
    Folders folders_;
    const ContentStore* store_;
    u64 kept_size_ = 0;
    std::map<Digest, std::vector<u8>> unstored_;
    u64 unstored_size_ = 0;
    Status store_status_;  // of what was written during the run
    std::optional<std::string> changed_file_;
};

}  // namespace uchronia::history
