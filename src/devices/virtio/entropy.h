// The virtio entropy device (VIRTIO 1.2, section 5.4): fills buffers from the tape.
#pragma once

#include <array>

#include "devices/device.h"
#include "devices/virtio/device.h"

namespace uchronia::devices {

class VirtioEntropy final : public VirtioDevice {
  public:
    // The most that one request is given; section 5.4.6.2 lets the device give less than asked.
    static constexpr u64 kMaximumBytes = u64{64} << 10;

    explicit VirtioEntropy(EntropySource& source) : source_(source) {}

    std::string_view name() const override { return "virtio-entropy"; }
    u32 id() const override { return 4; }
    u64 features() const override { return 0; }
    std::span<const u16> queue_sizes() const override { return kQueueSizes; }
    std::span<const u8> config() const override { return {}; }
    void reset() override {}
    std::optional<u32> serve(unsigned queue, DescriptorChain& chain) override;
    // The tape has its own state; the device has none.
    void fields(FieldVisitor&) override {}

  private:
    static constexpr std::array<u16, 1> kQueueSizes = {64};

    EntropySource& source_;
};

}  // namespace uchronia::devices
