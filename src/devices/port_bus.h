// Which device is at an I/O port.
//
// Ports without a device read as all ones and ignore writes; how often each was accessed is counted
// for --stats. The counts are not guest-visible, hence no state.
#pragma once

#include <map>
#include <vector>

#include "devices/device.h"

namespace uchronia::devices {

class PortBus {
  public:
    // The device's ports are [base, base + count). Ranges never overlap.
    void add(u16 base, u16 count, PortDevice& device);

    // `size` is 1, 2 or 4.
    u32 read(u16 port, unsigned size, VirtualTime now);
    void write(u16 port, unsigned size, u32 value, VirtualTime now);

    // Accesses to ports without a device.
    const std::map<u16, u64>& unknown_accesses() const { return unknown_; }

  private:
    struct Range {
        u16 base;
        u16 count;
        PortDevice* device;
    };

    const Range* find(u16 port) const;

    std::vector<Range> ranges_;
    std::map<u16, u64> unknown_;
};

}  // namespace uchronia::devices
