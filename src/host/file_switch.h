// A file tree that is made of others: each path belongs to one of them, perhaps under another name.
#pragma once

#include <string>

#include "host/file_source.h"

namespace uchronia::host {

class FileSwitch : public FileSource {
  public:
    FileResult<FileAttributes> attributes(const std::string& path) override;
    FileResult<std::shared_ptr<const DirectoryListing>> list(const std::string& path) override;
    FileResult<u64> read(const std::string& path, u64 offset, std::span<u8> bytes) override;
    FileResult<std::string> read_link(const std::string& path) override;

  protected:
    struct Place {
        FileSource& source;
        std::string path;  // in the source
    };
    virtual Place place_of(const std::string& path) = 0;
};

}  // namespace uchronia::host
