#include "devices/virtio/entropy.h"

#include <algorithm>
#include <vector>

namespace uchronia::devices {

std::optional<u32> VirtioEntropy::serve(unsigned, DescriptorChain& chain) {
    const u64 size = std::min(chain.writable_bytes(), kMaximumBytes);
    // Section 5.4.6.1: the buffers are for the device to write.
    if (size == 0 || chain.readable_bytes() != 0)
        return std::nullopt;
    std::vector<u8> bytes(size);
    for (u64 i = 0; i < size; i += sizeof(u64)) {
        const u64 word = source_.next();
        for (u64 k = 0; k < sizeof word && i + k < size; ++k)
            bytes[i + k] = static_cast<u8>(word >> (8 * k));
    }
    if (!chain.write(0, bytes))
        return std::nullopt;
    return static_cast<u32>(size);
}

}  // namespace uchronia::devices
