#include "devices/port_bus.h"

#include "base/check.h"

namespace uchronia::devices {

void PortBus::add(u16 base, u16 count, PortDevice& device) {
    CHECK(count != 0 && u32{base} + count <= 0x10000);
    for (const Range& range : ranges_)
        CHECK(base + count <= range.base || range.base + range.count <= base);
    ranges_.push_back({base, count, &device});
}

const PortBus::Range* PortBus::find(u16 port) const {
    for (const Range& range : ranges_)
        if (port >= range.base && port - range.base < range.count)
            return &range;
    return nullptr;
}

u32 PortBus::read(u16 port, unsigned size, VirtualTime now) {
    const Range* range = find(port);
    if (range != nullptr)
        return range->device->read(static_cast<u16>(port - range->base), size, now);
    ++unknown_[port];
    return ~u32{0} >> (32 - size * 8);
}

void PortBus::write(u16 port, unsigned size, u32 value, VirtualTime now) {
    const Range* range = find(port);
    if (range != nullptr)
        range->device->write(static_cast<u16>(port - range->base), size, value, now);
    else
        ++unknown_[port];
}

}  // namespace uchronia::devices
