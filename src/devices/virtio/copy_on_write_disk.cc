#include "devices/virtio/copy_on_write_disk.h"

#include <algorithm>
#include <cstring>

namespace uchronia::devices {

bool CopyOnWriteDisk::read(u64 sector, std::span<u8> bytes) {
    while (!bytes.empty()) {
        const u64 offset = sector % kSectorsPerBlock * host::kSectorSize;
        const u64 count = std::min<u64>(bytes.size(), kBlockSize - offset);
        const auto written = written_.find(sector / kSectorsPerBlock);
        if (written != written_.end())
            std::memcpy(bytes.data(), written->second.data() + offset, count);
        else if (!image_->read(sector, bytes.first(count)))
            return false;
        bytes = bytes.subspan(count);
        sector += count / host::kSectorSize;
    }
    return true;
}

bool CopyOnWriteDisk::write(u64 sector, std::span<const u8> bytes) {
    while (!bytes.empty()) {
        const u64 offset = sector % kSectorsPerBlock * host::kSectorSize;
        const u64 count = std::min<u64>(bytes.size(), kBlockSize - offset);
        Block* const block = writable_block(sector / kSectorsPerBlock);
        if (!block)
            return false;
        std::memcpy(block->data() + offset, bytes.data(), count);
        bytes = bytes.subspan(count);
        sector += count / host::kSectorSize;
    }
    return true;
}

CopyOnWriteDisk::Block* CopyOnWriteDisk::writable_block(u64 number) {
    const auto [position, is_new] = written_.try_emplace(number);
    if (!is_new)
        return &position->second;
    // The last block of the disk may be a part of one.
    const u64 first = number * kSectorsPerBlock;
    const u64 count = std::min(kSectorsPerBlock, sector_count() - first);
    if (image_->read(first, std::span(position->second).first(count * host::kSectorSize)))
        return &position->second;
    written_.erase(position);
    return nullptr;
}

void CopyOnWriteDisk::fields(FieldVisitor& v) {
    u64 count = written_.size();
    v.count("blocks", count, sector_count() / kSectorsPerBlock + 1);
    // One pass for all visitors: saving leaves each number as it is; loading replaces it, and the
    // blocks in between are not in the loaded state.
    auto next = written_.begin();
    for (u64 i = 0; i < count; ++i) {
        u64 number = next == written_.end() ? 0 : next->first;
        v("number", number);
        while (next != written_.end() && next->first < number)
            next = written_.erase(next);
        next = written_.try_emplace(next, number);
        v.bytes("data", next->second.data(), kBlockSize);
        ++next;
    }
    written_.erase(next, written_.end());
}

}  // namespace uchronia::devices
