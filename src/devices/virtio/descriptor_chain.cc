#include "devices/virtio/descriptor_chain.h"

#include <algorithm>

namespace uchronia::devices {
namespace {

// Calls access(address, bytes) for each piece of [offset, offset + bytes.size()) of a part.
template <class Part, class Byte, class Access>
bool for_each_piece(const Part& part, u64 offset, std::span<Byte> bytes, Access access) {
    if (offset > part.size || bytes.size() > part.size - offset)
        return false;
    for (const auto& segment : part.segments) {
        if (bytes.empty())
            break;
        if (offset >= segment.size) {
            offset -= segment.size;
            continue;
        }
        const u64 count = std::min<u64>(bytes.size(), segment.size - offset);
        if (!access(PhysicalAddress(segment.address.value + offset), bytes.first(count)))
            return false;
        bytes = bytes.subspan(count);
        offset = 0;
    }
    return true;
}

}  // namespace

bool DescriptorChain::add(Part& part, PhysicalAddress address, u32 size) {
    if (address.value + size < address.value || part.size + size > kMaximumBytes)
        return false;
    if (size != 0)
        part.segments.push_back({address, size});
    part.size += size;
    return true;
}

bool DescriptorChain::read(u64 offset, std::span<u8> bytes) const {
    return for_each_piece(readable_, offset, bytes, [&](PhysicalAddress at, std::span<u8> piece) {
        return memory_.read(at, piece);
    });
}

bool DescriptorChain::write(u64 offset, std::span<const u8> bytes) {
    return for_each_piece(
        writable_, offset, bytes,
        [&](PhysicalAddress at, std::span<const u8> piece) { return memory_.write(at, piece); });
}

}  // namespace uchronia::devices
