// A disk that reads as an unchanging image until it is written to.
//
// What the guest writes is kept in memory in 4 KiB blocks, which are part of the state; the image
// is not part of it, and is never written. The image must be the same one whenever a state is
// loaded.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <span>

#include "base/fields.h"
#include "base/types.h"
#include "host/block_image.h"

namespace uchronia::devices {

class CopyOnWriteDisk {
  public:
    explicit CopyOnWriteDisk(std::unique_ptr<host::BlockImage> image) : image_(std::move(image)) {}

    u64 sector_count() const { return image_->sector_count(); }
    // Whole sectors, which the caller has checked to be on the disk. False if the host cannot read
    // the image.
    bool read(u64 sector, std::span<u8> bytes);
    bool write(u64 sector, std::span<const u8> bytes);

    void fields(FieldVisitor& v);

  private:
    static constexpr u64 kBlockSize = 4096;
    static constexpr u64 kSectorsPerBlock = kBlockSize / host::kSectorSize;
    using Block = std::array<u8, kBlockSize>;

    // The block of that number, filled from the image if it is new; null on a host error.
    Block* writable_block(u64 number);

    std::unique_ptr<host::BlockImage> image_;
    std::map<u64, Block> written_;
};

}  // namespace uchronia::devices
