#include "devices/mmio_bus.h"

#include "base/check.h"

namespace uchronia::devices {

void MMIOBus::add(PhysicalAddress base, u64 size, MMIODevice& device) {
    CHECK(size != 0 && base.value + size > base.value);
    for (const Range& range : ranges_)
        CHECK(base.value + size <= range.base || range.base + range.size <= base.value);
    ranges_.push_back({base.value, size, &device});
}

const MMIOBus::Range* MMIOBus::find(PhysicalAddress address) const {
    for (const Range& range : ranges_)
        if (address.value >= range.base && address.value - range.base < range.size)
            return &range;
    return nullptr;
}

void MMIOBus::count_unknown(PhysicalAddress address) {
    const u64 page = address.value >> kPageBits;
    if (unknown_.size() < kCountedPages || unknown_.contains(page))
        ++unknown_[page];
    else
        ++uncounted_;
}

u64 MMIOBus::read(PhysicalAddress address, unsigned size, VirtualTime now) {
    const Range* range = find(address);
    if (range != nullptr)
        return range->device->read(address.value - range->base, size, now);
    count_unknown(address);
    return ~u64{0} >> (64 - size * 8);
}

void MMIOBus::write(PhysicalAddress address, unsigned size, u64 value, VirtualTime now) {
    const Range* range = find(address);
    if (range != nullptr)
        range->device->write(address.value - range->base, size, value, now);
    else
        count_unknown(address);
}

}  // namespace uchronia::devices
