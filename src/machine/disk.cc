#include "machine/disk.h"

#include <algorithm>
#include <vector>

namespace uchronia::machine {
namespace {

constexpr u64 kSectorsAtOnce = 2048;

class SharedImage final : public host::BlockImage {
  public:
    explicit SharedImage(std::shared_ptr<host::BlockImage> image) : image_(std::move(image)) {}
    u64 sector_count() const override { return image_->sector_count(); }
    bool read(u64 sector, std::span<u8> bytes) override { return image_->read(sector, bytes); }

  private:
    std::shared_ptr<host::BlockImage> image_;
};

}  // namespace

Result<Disk> open_disk(const std::string& path) {
    Result<std::unique_ptr<host::BlockImage>> image = host::FileBlockImage::open(path);
    if (!image)
        return image.error();
    Disk disk;
    disk.image = std::move(*image);
    disk.sector_count = disk.image->sector_count();
    if (disk.sector_count == 0)
        return Error{"the disk image " + path + " is empty"};
    // The digest of the digests of its pieces.
    std::vector<u8> piece;
    std::vector<u8> digests;
    for (u64 sector = 0; sector < disk.sector_count; sector += kSectorsAtOnce) {
        piece.resize(std::min(kSectorsAtOnce, disk.sector_count - sector) * host::kSectorSize);
        if (!disk.image->read(sector, piece))
            return Error{"the disk image " + path + " cannot be read to its end"};
        const Digest digest = digest_of(piece);
        const u8* bytes = reinterpret_cast<const u8*>(&digest);
        digests.insert(digests.end(), bytes, bytes + sizeof digest);
    }
    disk.contents = digest_of(digests);
    return disk;
}

std::unique_ptr<host::BlockImage> image_of(const Disk& disk) {
    return std::make_unique<SharedImage>(disk.image);
}

}  // namespace uchronia::machine
