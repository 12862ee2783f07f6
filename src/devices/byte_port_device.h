// A port device with 8-bit registers: wider accesses are accesses to consecutive ports, as the bus
// of a PC splits them.
#pragma once

#include "devices/device.h"

namespace uchronia::devices {

class BytePortDevice : public PortDevice {
  public:
    u32 read(u16 port, unsigned size, VirtualTime now) final {
        u32 value = 0;
        for (unsigned i = 0; i < size; ++i)
            value |= u32{read_byte(static_cast<u16>(port + i), now)} << 8 * i;
        return value;
    }
    void write(u16 port, unsigned size, u32 value, VirtualTime now) final {
        for (unsigned i = 0; i < size; ++i)
            write_byte(static_cast<u16>(port + i), static_cast<u8>(value >> 8 * i), now);
    }

  protected:
    // `port` may lie past the device's last one: there is nothing there (0xff).
    virtual u8 read_byte(u16 port, VirtualTime now) = 0;
    virtual void write_byte(u16 port, u8 value, VirtualTime now) = 0;
};

}  // namespace uchronia::devices
