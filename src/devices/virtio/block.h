// The virtio block device (VIRTIO 1.2, section 5.2) over a copy-on-write disk.
//
// Offered: SIZE_MAX and SEG_MAX (they bound the work of a request), FLUSH (there is nothing to
// flush: a write is in the state when its request is done), RO for a read-only disk. Discard, write
// zeroes and secure erase are not offered and answered with VIRTIO_BLK_S_UNSUPP.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "devices/virtio/copy_on_write_disk.h"
#include "devices/virtio/device.h"
#include "host/block_image.h"

namespace uchronia::devices {

class VirtioBlock final : public VirtioDevice {
  public:
    enum class Access { kReadWrite, kReadOnly };

    // `serial` is what the guest reads as the disk's identity, at most 20 bytes of it.
    VirtioBlock(std::unique_ptr<host::BlockImage> image, Access access, std::string_view serial);

    std::string_view name() const override { return "virtio-block"; }
    u32 id() const override { return 2; }
    u64 features() const override;
    std::span<const u16> queue_sizes() const override { return kQueueSizes; }
    std::span<const u8> config() const override { return config_; }
    void reset() override {}
    std::optional<u32> serve(unsigned queue, DescriptorChain& chain) override;
    void fields(FieldVisitor& v) override { v("disk", disk_); }

  private:
    static constexpr std::array<u16, 1> kQueueSizes = {256};
    static constexpr u64 kSerialSize = 20;

    enum class Outcome : u8 { kOK = 0, kIOError = 1, kUnsupported = 2 };
    // What a request came to: how much of its data was written, or that its memory is not there.
    struct Answer {
        Outcome outcome = Outcome::kOK;
        u64 data_written = 0;
        bool memory_missing = false;
    };

    Answer perform(DescriptorChain& chain, u64 data_capacity);
    Answer read(DescriptorChain& chain, u64 sector, u64 size);
    Answer write(DescriptorChain& chain, u64 sector, u64 size);
    Answer identify(DescriptorChain& chain, u64 capacity);
    bool within_disk(u64 sector, u64 size) const;

    CopyOnWriteDisk disk_;
    const Access access_;
    std::array<u8, kSerialSize> serial_{};
    std::array<u8, 16> config_{};
};

}  // namespace uchronia::devices
