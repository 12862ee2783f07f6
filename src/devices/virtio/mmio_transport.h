// The virtio-mmio transport, version 2 (VIRTIO 1.2, section 4.2), around one VirtioDevice.
//
// Modern only: VIRTIO_F_VERSION_1 must be accepted. Also offered: VIRTIO_F_INDIRECT_DESC.
//
// Invariants: requests are served inside the write to QueueNotify, all of them and in order, and
// the interrupt is raised there, so that the guest sees their effect at an exact tick. The
// interrupt line is high exactly while InterruptStatus is not zero. A broken ring sets
// DEVICE_NEEDS_RESET, and nothing is served until the driver resets the device.
#pragma once

#include <memory>
#include <vector>

#include "devices/device.h"
#include "devices/virtio/device.h"
#include "devices/virtio/queue.h"
#include "memory/guest_memory.h"

namespace uchronia::devices {

class VirtioMMIO final : public MMIODevice {
  public:
    // The size of the register block, configuration space included.
    static constexpr u64 kSize = 0x200;

    VirtioMMIO(std::unique_ptr<VirtioDevice> device, memory::GuestMemory& memory,
               InterruptLine& interrupt);

    std::string_view name() const override { return device_->name(); }
    void fields(FieldVisitor& v) override;
    // Registers are accessed by aligned 32-bit words, configuration space by any size (section
    // 4.2.2.2). Anything else reads as zero and is not written.
    u64 read(u64 offset, unsigned size, VirtualTime now) override;
    void write(u64 offset, unsigned size, u64 value, VirtualTime now) override;

  private:
    u32 read_register(u64 offset) const;
    u64 read_config(u64 offset, unsigned size) const;
    void write_register(u64 offset, u32 value);
    void write_queue_register(u64 offset, u32 value);
    void write_status(u32 value);
    void write_queue_ready(VirtQueue& queue, u32 value);

    u64 offered_features() const;
    bool features_acceptable() const;
    VirtQueue* selected_queue();
    const VirtQueue* selected_queue() const;

    void reset();
    void notify(u32 queue_index);
    // Serves one chain; false if the ring or the request is broken.
    bool serve_next(u32 queue_index);
    void need_reset();
    void raise(u32 interrupt_bits);

    std::unique_ptr<VirtioDevice> device_;
    memory::GuestMemory& memory_;
    InterruptLine& interrupt_;
    std::vector<VirtQueue> queues_;

    u32 status_ = 0;
    u32 interrupt_status_ = 0;
    u32 device_features_select_ = 0;
    u32 driver_features_select_ = 0;
    u32 queue_select_ = 0;
    u64 driver_features_ = 0;
};

}  // namespace uchronia::devices
