// Base images of small machines, made by hand as files in memory, so that they can be as wrong as
// one likes (docs/format-base-image.md).
#pragma once

#include <memory>
#include <vector>

#include "machine/base_image.h"
#include "tests/fuzz/bytes.h"

namespace uchronia::fuzz {

namespace image_at {
inline constexpr u64 kVersion = 8, kVCPUs = 12, kMemorySize = 16, kCPUModel = 80, kIndexOffset = 88,
                     kPageCount = 96, kStateOffset = 104, kStateSize = 112, kPagesOffset = 120,
                     kContentDigest = 128, kHeaderDigest = 144;
}
inline constexpr u64 kImageIndexEntry = 24;

// All of a machine, with the checksums that it needs.
std::vector<u8> image_of(machine::Machine& machine);
// Makes all checksums fit, as far as the parts lie inside the file.
void seal_image(std::vector<u8>& file);
Result<std::unique_ptr<machine::BaseImage>> open_image(const std::vector<u8>& file);

}  // namespace uchronia::fuzz
