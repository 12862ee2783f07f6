// A split virtqueue, the device's side of it (VIRTIO 1.2, section 2.7).
//
// The rings are in guest memory and may say anything: loops, indices out of range, buffers outside
// RAM. Each such thing is reported as broken, and no ring makes the device loop: a chain ends after
// kMaximumChain descriptors, and the number of pending chains is read once for a notification and
// is at most the queue's size.
//
// Indirect descriptors are supported. VIRTIO_F_EVENT_IDX and packed rings are not offered.
#pragma once

#include <optional>

#include "base/fields.h"
#include "base/types.h"
#include "devices/virtio/descriptor_chain.h"
#include "memory/guest_memory.h"

namespace uchronia::devices {

// Where the driver has put a queue. Addresses are the driver's: not to be trusted.
struct VirtQueueLayout {
    u32 size = 0;
    u64 descriptor_table = 0;
    u64 available_ring = 0;
    u64 used_ring = 0;
};

class VirtQueue {
  public:
    // The longest chain, indirect descriptors included. Section 2.7.5.3.1 lets a chain have as many
    // descriptors as the queue; this is the largest queue that any of our devices offers.
    static constexpr u32 kMaximumChain = 1024;

    explicit VirtQueue(u16 maximum_size) : maximum_size_(maximum_size) { reset(); }

    u16 maximum_size() const { return maximum_size_; }
    bool ready() const { return ready_ != 0; }

    // Set by the driver, through the transport, while the queue is not ready.
    VirtQueueLayout& layout() { return layout_; }
    // Takes the queue into use with its layout; false if these break the rules on
    // sizes and alignment (sections 2.7 and 4.2.3.2). Then the queue stays out of use.
    bool enable();
    void disable() { ready_ = 0; }
    void reset();

    // How many chains the driver has made available and pop() has not taken; nothing if broken.
    std::optional<u16> pending(const memory::GuestMemory& memory) const;
    // Takes the next chain, which pending() must have promised, into `chain`. Returns its head;
    // nothing if it is broken.
    std::optional<u16> pop(const memory::GuestMemory& memory, DescriptorChain& chain);
    // Gives a chain back with the number of bytes written to it; false if the ring is not in RAM.
    bool push_used(memory::GuestMemory& memory, u16 head, u32 bytes_written);
    // Whether the driver asks not to be interrupted (VIRTQ_AVAIL_F_NO_INTERRUPT).
    bool interrupts_suppressed(const memory::GuestMemory& memory) const;

    void fields(FieldVisitor& v);

  private:
    u16 maximum_size_;
    VirtQueueLayout layout_;
    u8 ready_ = 0;
    u16 next_available_ = 0;
    u16 next_used_ = 0;
};

}  // namespace uchronia::devices
