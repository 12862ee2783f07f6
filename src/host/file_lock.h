// An exclusive lock between processes: flock(2) on a file of its own, which stays.
#pragma once

#include <string>

#include "base/result.h"
#include "host/file_descriptor.h"

namespace uchronia::host {

// Held until its end of life, or the process's.
class FileLock {
  public:
    enum class Wait { kYes, kNo };

    // Creates the file if need be. Without waiting, `held()` tells whether it was free.
    static Result<FileLock> take(const std::string& path, Wait wait);

    bool held() const { return static_cast<bool>(file_); }

  private:
    explicit FileLock(FileDescriptor file) : file_(std::move(file)) {}

    FileDescriptor file_;
};

}  // namespace uchronia::host
