#include "devices/virtio/queue.h"

#include <bit>

namespace uchronia::devices {
namespace {

// Section 2.7.5: struct virtq_desc.
struct Descriptor {
    u64 address;
    u32 size;
    u16 flags;
    u16 next;
};
static_assert(sizeof(Descriptor) == 16);
constexpr u16 kNext = 1;
constexpr u16 kWrite = 2;
constexpr u16 kIndirect = 4;

// Sections 2.7.6 and 2.7.8: both rings start with u16 flags, u16 idx; then come their elements.
constexpr u64 kRingIndex = 2;
constexpr u64 kRingElements = 4;
constexpr u64 kAvailableElementSize = 2;
constexpr u64 kUsedElementSize = 8;
constexpr u16 kNoInterrupt = 1;

// Follows the chains of one table (the queue's, or an indirect one) into a DescriptorChain.
class ChainWalk {
  public:
    ChainWalk(const memory::GuestMemory& memory, DescriptorChain& chain)
        : memory_(memory), chain_(chain) {}

    bool follow_queue_table(u64 table, u32 entry_count, u32 head) {
        return follow(table, entry_count, head, Table::kOfQueue);
    }

  private:
    enum class Table { kOfQueue, kOfDescriptor };

    bool follow(u64 table, u32 entry_count, u32 index, Table kind) {
        while (true) {
            Descriptor descriptor;
            if (index >= entry_count || ++length_ > VirtQueue::kMaximumChain ||
                !memory_.load(PhysicalAddress(table + index * sizeof descriptor), descriptor))
                return false;
            if (descriptor.flags & kIndirect)
                return kind == Table::kOfQueue && follow_indirect(descriptor);
            if (!add(descriptor))
                return false;
            if (!(descriptor.flags & kNext))
                return true;
            index = descriptor.next;
        }
    }

    // Section 2.7.5.3: a table of its own, which ends the chain that it stands in.
    bool follow_indirect(const Descriptor& descriptor) {
        if ((descriptor.flags & kNext) || descriptor.size % sizeof(Descriptor) != 0)
            return false;
        const u32 entry_count = descriptor.size / u32{sizeof(Descriptor)};
        return follow(descriptor.address, entry_count, 0, Table::kOfDescriptor);
    }

    // Section 2.7.4.2: what the device writes comes after all that it reads.
    bool add(const Descriptor& descriptor) {
        const PhysicalAddress address(descriptor.address);
        if (descriptor.flags & kWrite) {
            writable_seen_ = true;
            return chain_.add_writable(address, descriptor.size);
        }
        return !writable_seen_ && chain_.add_readable(address, descriptor.size);
    }

    const memory::GuestMemory& memory_;
    DescriptorChain& chain_;
    u32 length_ = 0;
    bool writable_seen_ = false;
};

}  // namespace

bool VirtQueue::enable() {
    const bool valid = std::has_single_bit(layout_.size) && layout_.size <= maximum_size_ &&
                       layout_.descriptor_table % 16 == 0 && layout_.available_ring % 2 == 0 &&
                       layout_.used_ring % 4 == 0;
    ready_ = valid ? 1 : 0;
    return valid;
}

void VirtQueue::reset() {
    layout_ = {.size = maximum_size_};
    ready_ = 0;
    next_available_ = next_used_ = 0;
}

std::optional<u16> VirtQueue::pending(const memory::GuestMemory& memory) const {
    u16 index = 0;
    if (!memory.load(PhysicalAddress(layout_.available_ring + kRingIndex), index))
        return std::nullopt;
    const u16 count = static_cast<u16>(index - next_available_);
    if (count > layout_.size)
        return std::nullopt;
    return count;
}

std::optional<u16> VirtQueue::pop(const memory::GuestMemory& memory, DescriptorChain& chain) {
    const u64 slot = next_available_ % layout_.size;
    const u64 element = layout_.available_ring + kRingElements + slot * kAvailableElementSize;
    u16 head = 0;
    if (!memory.load(PhysicalAddress(element), head))
        return std::nullopt;
    if (!ChainWalk(memory, chain).follow_queue_table(layout_.descriptor_table, layout_.size, head))
        return std::nullopt;
    ++next_available_;
    return head;
}

bool VirtQueue::push_used(memory::GuestMemory& memory, u16 head, u32 bytes_written) {
    const u64 slot = next_used_ % layout_.size;
    const u64 element = layout_.used_ring + kRingElements + slot * kUsedElementSize;
    ++next_used_;
    return memory.store(PhysicalAddress(element), u32{head}) &&
           memory.store(PhysicalAddress(element + sizeof(u32)), bytes_written) &&
           memory.store(PhysicalAddress(layout_.used_ring + kRingIndex), next_used_);
}

bool VirtQueue::interrupts_suppressed(const memory::GuestMemory& memory) const {
    u16 flags = 0;
    return memory.load(PhysicalAddress(layout_.available_ring), flags) && (flags & kNoInterrupt);
}

void VirtQueue::fields(FieldVisitor& v) {
    v("size", layout_.size);
    v("descriptor_table", layout_.descriptor_table);
    v("available_ring", layout_.available_ring);
    v("used_ring", layout_.used_ring);
    v("ready", ready_);
    v("next_available", next_available_);
    v("next_used", next_used_);
    // A corrupt file could say anything; the ring arithmetic relies on this.
    if (ready_ != 0)
        enable();
}

}  // namespace uchronia::devices
