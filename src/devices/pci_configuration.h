// The configuration ports of a PCI host bridge with an empty bus: an address that can be written
// and read back, and data that says "no device" everywhere.
//
// Source: PCI Local Bus Specification 3.0, 3.2.2.3.2 (configuration mechanism #1). It exists
// because Linux calls a machine without any configuration access broken.
#pragma once

#include "devices/device.h"

namespace uchronia::devices {

class PCIConfiguration final : public PortDevice {
  public:
    static constexpr u16 kDefaultBase = 0xcf8;
    static constexpr u16 kPortCount = 8;

    std::string_view name() const override { return "pci_configuration"; }
    void fields(FieldVisitor& v) override;

    u32 read(u16 port, unsigned size, VirtualTime now) override;
    void write(u16 port, unsigned size, u32 value, VirtualTime now) override;

  private:
    u32 address_ = 0;
};

}  // namespace uchronia::devices
