// What a cache asks about its files: how much of the disk they take, when they were last used, and
// whether another process has one of them mapped.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/types.h"

namespace uchronia::host {

struct FileUse {
    u64 size = 0;  // bytes of the disk; of a folder: of all that is below it
    // Seconds since 1970: the later one of the last change and the last use that is known
    // (note_use, or the file system's own note). Of a folder: the latest of all that is below it.
    i64 last_use = 0;
};

// Nothing there gives zeros. Symbolic links are not followed.
FileUse use_of(const std::string& path);

// Notes that a file is used now. Best effort: nothing depends on it but what is removed first.
void note_use(const std::string& path);

// The files that other processes have mapped now, as far as /proc shows them to this user (its own
// processes, in this container).
class MappedByOthers {
  public:
    MappedByOthers();
    bool contains(const std::string& path) const;

  private:
    void read(const std::string& maps);

    std::set<std::string> paths_;
    std::set<std::pair<u64, u64>> files_;  // device, inode
};

// Bytes that this user can still write to the file system of `path`.
Result<u64> free_space(const std::string& path);

}  // namespace uchronia::host
