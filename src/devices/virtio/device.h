// A virtio device behind its transport: features, configuration space, queues and requests.
//
// Virtual I/O Device (VIRTIO) Version 1.2, section 2. The transport (mmio_transport.h) owns status,
// feature negotiation, the queues and the interrupt; a VirtioDevice only says what it is and serves
// one request after the other. It never sees a ring, and it never completes a request later: what
// the guest asks for is done when the guest notifies, so that nothing depends on host time.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/fields.h"
#include "base/types.h"
#include "devices/virtio/descriptor_chain.h"

namespace uchronia::devices {

class VirtioDevice {
  public:
    virtual ~VirtioDevice() = default;

    virtual std::string_view name() const = 0;
    // The virtio device ID (section 5).
    virtual u32 id() const = 0;
    // The feature bits 0 to 23 and 50 to 127 of section 2.2; the transport adds its own.
    virtual u64 features() const = 0;
    // The largest size of each queue, a power of two each.
    virtual std::span<const u16> queue_sizes() const = 0;
    // The device-specific configuration space; it is constant and read-only.
    virtual std::span<const u8> config() const = 0;

    // Back to the state after power-on, as far as a driver can tell. Contents of disks remain.
    virtual void reset() = 0;
    // Does what the chain asks for and returns how many bytes of its writable part were written,
    // counted from its start. Nothing if the chain makes no sense for this device or names memory
    // that is not there: the device then needs a reset.
    virtual std::optional<u32> serve(unsigned queue, DescriptorChain& chain) = 0;

    virtual void fields(FieldVisitor& v) = 0;
};

}  // namespace uchronia::devices
