// Which device is at a guest-physical address outside of RAM.
//
// Addresses without a device read as all ones and ignore writes; how often each page was accessed
// is counted for --stats. The counts are not guest-visible, hence no state. The local APICs are not
// here: each vCPU sees its own at the same address, so that the machine asks them first.
#pragma once

#include <map>
#include <vector>

#include "devices/device.h"

namespace uchronia::devices {

class MMIOBus {
  public:
    // The device's registers are [base, base + size). Ranges never overlap.
    void add(PhysicalAddress base, u64 size, MMIODevice& device);

    // `size` is 1, 2, 4 or 8.
    u64 read(PhysicalAddress address, unsigned size, VirtualTime now);
    void write(PhysicalAddress address, unsigned size, u64 value, VirtualTime now);

    // Accesses to addresses without a device, by page number. At most kCountedPages pages are told
    // apart; the accesses to all others are in uncounted_accesses().
    const std::map<u64, u64>& unknown_accesses() const { return unknown_; }
    u64 uncounted_accesses() const { return uncounted_; }

  private:
    // A guest can name more pages than the host has memory for counts.
    static constexpr std::size_t kCountedPages = 4096;

    struct Range {
        u64 base;
        u64 size;
        MMIODevice* device;
    };

    const Range* find(PhysicalAddress address) const;
    void count_unknown(PhysicalAddress address);

    std::vector<Range> ranges_;
    std::map<u64, u64> unknown_;
    u64 uncounted_ = 0;
};

}  // namespace uchronia::devices
