// What every device has in common.
//
// A device is timed only by the `now` that it is given, draws randomness only from the
// EntropySource that it is given, and lists its whole guest-visible state in fields(). It never
// knows which vCPU or which host is behind a call.
#pragma once

#include <string_view>

#include "base/fields.h"
#include "base/types.h"

namespace uchronia::devices {

// An interrupt line into an interrupt controller: level-triggered inputs follow `level`;
// edge-triggered ones fire on false -> true.
class InterruptLine {
  public:
    virtual ~InterruptLine() = default;
    virtual void set(bool level) = 0;
};

// Entropy words from the tape.
class EntropySource {
  public:
    virtual ~EntropySource() = default;
    virtual u64 next() = 0;
};

class Device {
  public:
    virtual ~Device() = default;

    virtual std::string_view name() const = 0;
    // Everything that the guest can see, in a fixed order (base/fields.h).
    virtual void fields(FieldVisitor& v) = 0;
};

// A device with memory-mapped registers. `offset` is relative to its base; `size` is 1, 2, 4 or 8.
class MMIODevice : public Device {
  public:
    virtual u64 read(u64 offset, unsigned size, VirtualTime now) = 0;
    virtual void write(u64 offset, unsigned size, u64 value, VirtualTime now) = 0;
};

// A device with I/O ports. `port` is relative to its base; `size` is 1, 2 or 4.
class PortDevice : public Device {
  public:
    virtual u32 read(u16 port, unsigned size, VirtualTime now) = 0;
    virtual void write(u16 port, unsigned size, u32 value, VirtualTime now) = 0;
};

}  // namespace uchronia::devices
