// Power-off and reset: the sleep and reset registers of hardware-reduced ACPI, as three ports.
//
// Source: ACPI Specification 6.5, 4.8.3.7 (sleep control and status registers) and 4.8.3.6 (reset
// register). The ACPI tables (machine/acpi.h) tell the guest where they are and what to write.
//
// It does not stop anything itself: the machine takes the request after the instruction.
#pragma once

#include "devices/byte_port_device.h"

namespace uchronia::devices {

enum class PowerRequest : u8 { kNone, kOff, kReset };

class ACPIPower final : public BytePortDevice {
  public:
    static constexpr u16 kDefaultBase = 0x600;
    static constexpr u16 kPortCount = 3;
    static constexpr u16 kSleepControl = 0, kSleepStatus = 1, kReset = 2;

    static constexpr u8 kSleepTypeOff = 5;  // SLP_TYP of \_S5
    static constexpr u8 kResetValue = 1;

    PowerRequest request() const { return request_; }
    void clear_request() { request_ = PowerRequest::kNone; }

    std::string_view name() const override { return "acpi_power"; }
    void fields(FieldVisitor& v) override;

  private:
    u8 read_byte(u16 port, VirtualTime now) override;
    void write_byte(u16 port, u8 value, VirtualTime now) override;

    u8 sleep_type_ = 0;
    PowerRequest request_ = PowerRequest::kNone;
};

}  // namespace uchronia::devices
