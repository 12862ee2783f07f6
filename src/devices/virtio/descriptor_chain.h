// One request of a virtqueue: the memory that the device reads, then the memory that it writes.
//
// Both parts are byte strings scattered over guest memory, addressed by an offset from their start.
// Every access is checked: against the size of the part, and by GuestMemory against RAM.
#pragma once

#include <span>
#include <vector>

#include "base/types.h"
#include "memory/guest_memory.h"

namespace uchronia::devices {

class DescriptorChain {
  public:
    // The most that either part may hold. It bounds the work of one request; no driver comes near.
    static constexpr u64 kMaximumBytes = u64{16} << 20;

    explicit DescriptorChain(memory::GuestMemory& memory) : memory_(memory) {}

    // Append a buffer; false if it wraps around the address space or makes the part too large.
    bool add_readable(PhysicalAddress address, u32 size) { return add(readable_, address, size); }
    bool add_writable(PhysicalAddress address, u32 size) { return add(writable_, address, size); }

    u64 readable_bytes() const { return readable_.size; }
    u64 writable_bytes() const { return writable_.size; }

    // Copy between the host and a part, from `offset`; false if the part or RAM ends before.
    bool read(u64 offset, std::span<u8> bytes) const;
    bool write(u64 offset, std::span<const u8> bytes);

    template <class T>
    bool load(u64 offset, T& value) const {
        return read(offset, {reinterpret_cast<u8*>(&value), sizeof value});
    }

  private:
    struct Segment {
        PhysicalAddress address;
        u32 size;
    };
    struct Part {
        std::vector<Segment> segments;
        u64 size = 0;
    };

    static bool add(Part& part, PhysicalAddress address, u32 size);

    memory::GuestMemory& memory_;
    Part readable_;
    Part writable_;
};

}  // namespace uchronia::devices
