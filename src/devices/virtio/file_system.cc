#include "devices/virtio/file_system.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace uchronia::devices {

VirtioFileSystem::VirtioFileSystem(host::FileSource& source, std::string_view tag)
    : server_(source) {
    // Section 5.11.4: the tag, padded with NUL, and the number of request queues.
    std::copy_n(tag.begin(), std::min<u64>(tag.size(), kTagSize), config_.begin());
    const u32 request_queue_count = 1;
    std::memcpy(config_.data() + kTagSize, &request_queue_count, sizeof request_queue_count);
}

std::optional<u32> VirtioFileSystem::serve(unsigned, DescriptorChain& chain) {
    const u64 size = chain.readable_bytes();
    std::vector<u8> message(std::min(size, FUSEServer::kMaximumRequest));
    if (!chain.read(0, message))
        return std::nullopt;
    const std::vector<u8> reply = server_.handle(message, size, chain.writable_bytes());
    if (!chain.write(0, reply))
        return std::nullopt;
    return static_cast<u32>(reply.size());
}

}  // namespace uchronia::devices
