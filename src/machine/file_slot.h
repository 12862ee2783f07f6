// Stands for the host's files from the machine's start; what is behind it is known when a run
// begins.
#pragma once

#include "host/file_source.h"
#include "machine/machine.h"

namespace uchronia::machine {

class Machine::FileSlot final : public host::FileSource {
  public:
    // Null: there are no files.
    void set(host::FileSource* source) { source_ = source; }

    host::FileResult<host::FileAttributes> attributes(const std::string& path) override;
    host::FileResult<std::shared_ptr<const host::DirectoryListing>> list(
        const std::string& path) override;
    host::FileResult<u64> read(const std::string& path, u64 offset, std::span<u8> bytes) override;
    host::FileResult<std::string> read_link(const std::string& path) override;

  private:
    host::FileSource* source_ = nullptr;
};

}  // namespace uchronia::machine
