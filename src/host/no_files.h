// A file tree in which nothing is.
#pragma once

#include <cerrno>

#include "host/file_source.h"

namespace uchronia::host {

class NoFiles final : public FileSource {
  public:
    FileResult<FileAttributes> attributes(const std::string&) override { return FileError{ENOENT}; }
    FileResult<std::shared_ptr<const DirectoryListing>> list(const std::string&) override {
        return FileError{ENOENT};
    }
    FileResult<u64> read(const std::string&, u64, std::span<u8>) override {
        return FileError{ENOENT};
    }
    FileResult<std::string> read_link(const std::string&) override { return FileError{ENOENT}; }
};

}  // namespace uchronia::host
