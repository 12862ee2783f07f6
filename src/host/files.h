// Files of the host: reading, atomic writing, listing and read-only mapping.
//
// Every failure is an Error that names the path, what was tried, why it failed and, where there is
// one, the remedy. Nothing here follows a policy: callers decide where files lie.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace uchronia::host {

// The whole file. Fails for folders and for files that cannot be read.
Result<std::vector<u8>> read_file(const std::string& path);

// Replaces `path` by a file with these contents: a new file beside it, fsync, rename, fsync of the
// folder. After a failure or a crash, `path` is the old file or the new one, never a part. What a
// killed process has left beside it goes with the next replacement.
Status write_file_atomically(const std::string& path, std::span<const u8> contents);
Status write_file_atomically(const std::string& path, std::string_view contents);

// Removes a file; that there is none is no failure.
Status remove_file(const std::string& path);
// Removes a folder with all that is in it; that there is none is no failure.
Status remove_folder(const std::string& path);

enum class EntryKind : u8 { kFile, kDirectory, kSymbolicLink, kOther };

struct FolderEntry {
    std::string name;
    EntryKind kind = EntryKind::kOther;
};

// The entries without "." and "..", sorted by name (bytewise).
Result<std::vector<FolderEntry>> list_directory(const std::string& path);

// Whether something (for is_directory: a folder) is there; symbolic links are followed.
bool exists(const std::string& path);
bool is_directory(const std::string& path);

// Whether a file is there that belongs to this user, and that nobody else may write.
bool is_file_of_user_alone(const std::string& path);
// When a file's contents were last changed, in seconds since 1970; 0 if that cannot be known.
i64 seconds_of_change(const std::string& path);
// Appends to the file, which is made for this user alone if there is none.
Status append_to_file(const std::string& path, std::span<const u8> contents);
// Makes the file end at `offset` and writes there; one that is made is for this user alone. Not
// atomic: for caches, whose readers check what they read.
Status write_private_file_at(const std::string& path, u64 offset, std::span<const u8> contents);

// As write_file_atomically, for this user alone and without fsync: for caches, whose readers check
// what they read.
Status write_cached_file(const std::string& path, std::span<const u8> contents);
// Whether a file of a cache is there and has contents. It then counts as used today: its time of
// change tells, to a day, when it was last asked for.
bool refresh_cached_file(const std::string& path);

// Creates a folder and its missing parents (mode 0777 less the umask).
Status create_directories(const std::string& path);

// A file mapped read-only and privately. Movable; unmapped at the end of its life.
class MappedFile {
  public:
    MappedFile() = default;
    MappedFile(MappedFile&& other) noexcept : bytes_(other.bytes_) { other.bytes_ = {}; }
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    std::span<const u8> bytes() const { return bytes_; }

  private:
    friend Result<MappedFile> map_file(const std::string& path);
    explicit MappedFile(std::span<const u8> bytes) : bytes_(bytes) {}

    std::span<const u8> bytes_;
};

// Maps the whole file. The caller must not let it be truncated while it is mapped; our own files
// are only ever replaced by rename, which leaves a mapping as it was.
Result<MappedFile> map_file(const std::string& path);

}  // namespace uchronia::host
