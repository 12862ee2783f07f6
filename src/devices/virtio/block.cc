#include "devices/virtio/block.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace uchronia::devices {
namespace {

// Section 5.2.3, feature bits.
constexpr u64 kFeatureSizeMax = u64{1} << 1;
constexpr u64 kFeatureSegMax = u64{1} << 2;
constexpr u64 kFeatureReadOnly = u64{1} << 5;
constexpr u64 kFeatureFlush = u64{1} << 9;

// Section 5.2.4: the start of struct virtio_blk_config. The product of the two limits is below what
// a DescriptorChain holds.
struct Config {
    u64 capacity_sectors;
    u32 size_max = 64 << 10;
    u32 seg_max = 126;
};
static_assert(sizeof(Config) == 16);
static_assert(u64{64 << 10} * 126 < DescriptorChain::kMaximumBytes);

// Section 5.2.6: the start of struct virtio_blk_req.
struct RequestHeader {
    u32 type;
    u32 reserved;
    u64 sector;
};
static_assert(sizeof(RequestHeader) == 16);

enum RequestType : u32 { kIn = 0, kOut = 1, kFlush = 4, kGetID = 8 };

}  // namespace

VirtioBlock::VirtioBlock(std::unique_ptr<host::BlockImage> image, Access access,
                         std::string_view serial)
    : disk_(std::move(image)), access_(access) {
    std::copy_n(serial.begin(), std::min<u64>(serial.size(), kSerialSize), serial_.begin());
    const Config config{.capacity_sectors = disk_.sector_count()};
    std::memcpy(config_.data(), &config, sizeof config);
}

u64 VirtioBlock::features() const {
    const u64 always = kFeatureSizeMax | kFeatureSegMax | kFeatureFlush;
    return access_ == Access::kReadOnly ? always | kFeatureReadOnly : always;
}

std::optional<u32> VirtioBlock::serve(unsigned, DescriptorChain& chain) {
    // The last writable byte is the status.
    if (chain.writable_bytes() == 0)
        return std::nullopt;
    const u64 status_offset = chain.writable_bytes() - 1;
    const Answer answer = perform(chain, status_offset);
    const u8 status = static_cast<u8>(answer.outcome);
    if (answer.memory_missing || !chain.write(status_offset, {&status, 1}))
        return std::nullopt;
    // Only what precedes the first unwritten byte counts as written (section 2.7.8.2).
    return static_cast<u32>(answer.data_written == status_offset ? status_offset + 1
                                                                 : answer.data_written);
}

VirtioBlock::Answer VirtioBlock::perform(DescriptorChain& chain, u64 data_capacity) {
    RequestHeader header;
    if (chain.readable_bytes() < sizeof header)
        return {.outcome = Outcome::kIOError};
    if (!chain.load(0, header))
        return {.memory_missing = true};
    switch (header.type) {
        case kIn:
            return read(chain, header.sector, data_capacity);
        case kOut:
            return write(chain, header.sector, chain.readable_bytes() - sizeof header);
        case kFlush:
            return {};
        case kGetID:
            return identify(chain, data_capacity);
        default:
            return {.outcome = Outcome::kUnsupported};
    }
}

bool VirtioBlock::within_disk(u64 sector, u64 size) const {
    const u64 count = size / host::kSectorSize;
    return size % host::kSectorSize == 0 && sector <= disk_.sector_count() &&
           count <= disk_.sector_count() - sector;
}

VirtioBlock::Answer VirtioBlock::read(DescriptorChain& chain, u64 sector, u64 size) {
    std::vector<u8> data(size);
    if (!within_disk(sector, size) || !disk_.read(sector, data))
        return {.outcome = Outcome::kIOError};
    if (!chain.write(0, data))
        return {.memory_missing = true};
    return {.data_written = size};
}

VirtioBlock::Answer VirtioBlock::write(DescriptorChain& chain, u64 sector, u64 size) {
    if (access_ == Access::kReadOnly || !within_disk(sector, size))
        return {.outcome = Outcome::kIOError};
    std::vector<u8> data(size);
    if (!chain.read(sizeof(RequestHeader), data))
        return {.memory_missing = true};
    return {.outcome = disk_.write(sector, data) ? Outcome::kOK : Outcome::kIOError};
}

VirtioBlock::Answer VirtioBlock::identify(DescriptorChain& chain, u64 capacity) {
    const u64 size = std::min(capacity, kSerialSize);
    if (!chain.write(0, std::span(serial_).first(size)))
        return {.memory_missing = true};
    return {.data_written = size};
}

}  // namespace uchronia::devices
