// The one door through which content of host files enters a machine.
//
// Everything that a guest can learn of host files goes through these four functions, so that a
// recording of them, or an archive, can take the host's place. The same question must get the same
// answer throughout a run.
//
// A path is absolute, has no trailing slash, no "." and no ".." ("/" is the root); symbolic links
// are files like any other and are never followed.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/types.h"
#include "host/file_result.h"

namespace uchronia::host {

// Nothing here depends on how the host stores the file: there is no inode number, no link count, no
// block count, no time of access.
struct FileAttributes {
    u32 mode = 0;  // S_IFMT and permission bits, as in stat(2).
    u32 uid = 0;
    u32 gid = 0;
    u64 size = 0;  // Bytes; the same for all directories.
    i64 modified_seconds = 0;
    u32 modified_nanoseconds = 0;

    bool is_directory() const { return S_ISDIR(mode); }
    bool is_regular() const { return S_ISREG(mode); }
    bool is_symlink() const { return S_ISLNK(mode); }

    bool operator==(const FileAttributes&) const = default;
    void fields(FieldVisitor& v) {
        v("mode", mode);
        v("uid", uid);
        v("gid", gid);
        v("size", size);
        v("modified_seconds", modified_seconds);
        v("modified_nanoseconds", modified_nanoseconds);
    }
};

struct DirectoryEntry {
    std::string name;
    u32 type = 0;  // The S_IFMT bits of the file's mode.

    bool operator==(const DirectoryEntry&) const = default;
};

// Sorted by the bytes of the names; without "." and "..".
using DirectoryListing = std::vector<DirectoryEntry>;

class FileSource {
  public:
    virtual ~FileSource() = default;

    virtual FileResult<FileAttributes> attributes(const std::string& path) = 0;
    virtual FileResult<std::shared_ptr<const DirectoryListing>> list(const std::string& path) = 0;
    // Fills `bytes` from a regular file and returns how many; fewer only at its end.
    virtual FileResult<u64> read(const std::string& path, u64 offset, std::span<u8> bytes) = 0;
    virtual FileResult<std::string> read_link(const std::string& path) = 0;
};

}  // namespace uchronia::host
