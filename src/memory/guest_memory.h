// Guest-physical memory as a device sees it: bytes at addresses, for DMA.
//
// Addresses come from the guest and may be anything: every call checks them, and false means that
// some of the range is not RAM (then nothing was written; `bytes` is unspecified).
#pragma once

#include <span>

#include "base/types.h"

namespace uchronia::memory {

class GuestMemory {
  public:
    virtual ~GuestMemory() = default;
    virtual bool read(PhysicalAddress address, std::span<u8> bytes) const = 0;
    virtual bool write(PhysicalAddress address, std::span<const u8> bytes) = 0;

    // Little-endian integers.
    template <class T>
    bool load(PhysicalAddress address, T& value) const {
        return read(address, {reinterpret_cast<u8*>(&value), sizeof value});
    }
    template <class T>
    bool store(PhysicalAddress address, T value) {
        return write(address, {reinterpret_cast<const u8*>(&value), sizeof value});
    }
};

}  // namespace uchronia::memory
