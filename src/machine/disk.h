// A disk image that a machine is given: what is on it before the machine's first write.
//
// Writes go to the machine's own copy and vanish with it. The contents are an ingredient of the
// base image, as Linux looks at its disks while it boots.
#pragma once

#include <memory>
#include <string>

#include "base/hash.h"
#include "base/result.h"
#include "host/block_image.h"

namespace uchronia::machine {

struct Disk {
    std::shared_ptr<host::BlockImage> image;  // null: no disk. Shared by machines; only read
    u64 sector_count = 0;
    Digest contents;

    bool operator==(const Disk& other) const {
        return sector_count == other.sector_count && contents == other.contents;
    }
};

// Opens a raw image and reads all of it once for its digest.
Result<Disk> open_disk(const std::string& path);

// The image as a device owns it.
std::unique_ptr<host::BlockImage> image_of(const Disk& disk);

}  // namespace uchronia::machine
