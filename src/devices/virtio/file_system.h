// The virtio file system device (VIRTIO 1.2, section 5.11): FUSE requests over virtqueues.
//
// Queue 0 is the high-priority queue, queue 1 the only request queue; as requests are served when
// they are notified, both are served alike. No DAX window, no notification queue.
#pragma once

#include <array>
#include <string_view>

#include "devices/virtio/device.h"
#include "devices/virtio/fuse_server.h"
#include "host/file_source.h"

namespace uchronia::devices {

class VirtioFileSystem final : public VirtioDevice {
  public:
    // The guest mounts the device by `tag`, at most 36 bytes.
    VirtioFileSystem(host::FileSource& source, std::string_view tag);

    std::string_view name() const override { return "virtio-fs"; }
    u32 id() const override { return 26; }
    u64 features() const override { return 0; }
    std::span<const u16> queue_sizes() const override { return kQueueSizes; }
    std::span<const u8> config() const override { return config_; }
    void reset() override { server_.reset(); }
    std::optional<u32> serve(unsigned queue, DescriptorChain& chain) override;
    void fields(FieldVisitor& v) override { v("server", server_); }

  private:
    // Linux lets a request have at most as many pages as the queue has entries, less four.
    static constexpr std::array<u16, 2> kQueueSizes = {128, 1024};
    static_assert(kQueueSizes[1] >= fuse::kMaximumPages + 4);
    static constexpr u64 kTagSize = 36;

    std::array<u8, kTagSize + sizeof(u32)> config_{};
    FUSEServer server_;
};

}  // namespace uchronia::devices
