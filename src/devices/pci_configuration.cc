#include "devices/pci_configuration.h"

namespace uchronia::devices {
namespace {

constexpr u16 kAddressPort = 0;
// Bits 1-0 and 30-24 are reserved and read as 0.
constexpr u32 kAddressBits = 0x80fffffc;

}  // namespace

void PCIConfiguration::fields(FieldVisitor& v) {
    v("address", address_);
}

u32 PCIConfiguration::read(u16 port, unsigned size, VirtualTime) {
    // Only whole accesses reach the address; narrower ones are for whatever else is there.
    return port == kAddressPort && size == 4 ? address_ : ~u32{0};
}

void PCIConfiguration::write(u16 port, unsigned size, u32 value, VirtualTime) {
    if (port == kAddressPort && size == 4)
        address_ = value & kAddressBits;
}

}  // namespace uchronia::devices
