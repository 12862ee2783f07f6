// A bundle: one file with a history and what its replay needs, for sending to someone else
// (docs/format-bundle.md). The base image is opaque bytes here; its reader checks it.
//
// A file that is truncated, damaged, foreign or of a newer version gives an Error that names it,
// says what is wrong and what to do.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "history/history.h"

namespace uchronia::history {

// The numbers are part of the file.
enum class EntryType : u32 { kHistory = 1, kContent = 2, kBaseImage = 3 };
enum class EntryEncoding : u32 { kPlain = 0, kZstd = 1 };

// A line of the table of contents, as it is in the file.
struct BundleEntry {
    EntryType type = EntryType::kContent;
    EntryEncoding encoding = EntryEncoding::kPlain;
    u64 offset = 0;  // from the file's begin
    u64 stored_size = 0;
    u64 content_size = 0;
    Digest digest;  // of the content

    bool operator==(const BundleEntry&) const = default;
};
static_assert(sizeof(BundleEntry) == 48);

// Whether a file's first bytes are those of a bundle.
bool is_bundle(std::span<const u8> file);

// Puts a bundle together: first the history, then contents by ascending digest, then perhaps the
// base image.
class BundleWriter {
  public:
    explicit BundleWriter(const History& history);
    void add_content(Digest digest, std::span<const u8> content);
    void add_base_image(std::span<const u8> image);
    std::vector<u8> finish() const;

  private:
    void add(EntryType type, EntryEncoding encoding, Digest digest, std::span<const u8> content);

    std::vector<BundleEntry> entries_;  // offsets count from the end of the table
    std::vector<u8> data_;
};

// A bundle in memory, which must outlive this. Opening it checks the table of contents; each entry
// is checked when it is taken.
class Bundle {
  public:
    static Result<Bundle> open(std::span<const u8> file, const std::string& name);

    const std::vector<BundleEntry>& entries() const { return entries_; }
    // Null if there is none.
    const BundleEntry* base_image() const;
    bool has_content(Digest digest) const { return contents_.contains(digest); }

    Result<std::vector<u8>> take(const BundleEntry& entry) const;
    Result<History> history() const;

  private:
    std::span<const u8> file_;
    std::string name_;
    std::vector<BundleEntry> entries_;
    std::set<Digest> contents_;
};

// --- What a history needs and discloses. ---

// The contents that are not in the history itself: their digests, each with one question that they
// answer.
std::map<Digest, BlockQuestion> needed_contents(const History& history);

// A file of which the guest has read.
struct ReadFile {
    std::string path;
    u64 size = 0;            // of the file; 0 if the guest did not ask
    u64 read_size = 0;       // bytes that were read, those read twice counted twice
    u64 missing = 0;         // of these, neither in the history nor known to `has_content`
    bool in_history = true;  // all that was read
};

// By path.
std::vector<ReadFile> read_files(const History& history,
                                 const std::function<bool(Digest)>& has_content);

// Whether a pattern of fnmatch(3) fits the path or a folder above it; one without a slash, whether
// it fits a name in the path.
bool matches(const std::string& path, const std::vector<std::string>& patterns);

// Takes the contents of matching files out of the history; what is known of them otherwise stays.
// Returns the digests that only they needed.
std::set<Digest> leave_out(History& history, const std::vector<std::string>& patterns);

}  // namespace uchronia::history
