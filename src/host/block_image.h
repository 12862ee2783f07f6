// The unchanging content of a disk, in sectors of 512 bytes.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/types.h"
#include "host/file_descriptor.h"

namespace uchronia::host {

inline constexpr u64 kSectorSize = 512;

class BlockImage {
  public:
    virtual ~BlockImage() = default;
    virtual u64 sector_count() const = 0;
    // Fills `bytes`, whole sectors within the image; false if the host cannot.
    virtual bool read(u64 sector, std::span<u8> bytes) = 0;
};

// A raw image in a file. A last sector that is not whole is padded with zeros.
class FileBlockImage final : public BlockImage {
  public:
    static Result<std::unique_ptr<BlockImage>> open(const std::string& path);

    u64 sector_count() const override { return (size_ + kSectorSize - 1) / kSectorSize; }
    bool read(u64 sector, std::span<u8> bytes) override;

  private:
    FileBlockImage(FileDescriptor file, u64 size) : file_(std::move(file)), size_(size) {}

    FileDescriptor file_;
    u64 size_;
};

}  // namespace uchronia::host
