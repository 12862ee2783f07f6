// The real-time clock of a PC with its battery-backed memory: a date that follows virtual time.
//
// Source: Motorola MC146818A datasheet; the century at 0x32 is the PC convention.
//
// It has no interrupt line: the interrupt enable bits of register B read as 0, and the alarm
// registers are storage. An update never takes time: "update in progress" is never seen.
#pragma once

#include <array>

#include "devices/byte_port_device.h"

namespace uchronia::devices {

class CMOSRTC final : public BytePortDevice {
  public:
    static constexpr u16 kDefaultBase = 0x70;
    static constexpr u16 kPortCount = 2;

    // `start_date`: the date at virtual time 0, in seconds since 1970.
    explicit CMOSRTC(u64 start_date);

    std::string_view name() const override { return "cmos_rtc"; }
    void fields(FieldVisitor& v) override;

  private:
    static constexpr unsigned kSize = 128;

    u8 read_byte(u16 port, VirtualTime now) override;
    void write_byte(u16 port, u8 value, VirtualTime now) override;

    void write_register(unsigned index, u8 value, VirtualTime now);
    u8 encode(unsigned value) const;
    unsigned decode(u8 value) const;
    u8 encode_hour(unsigned hour) const;
    unsigned decode_hour(u8 value) const;

    // Between a date and the time registers of `memory_`.
    void show_date(u64 seconds);
    u64 shown_date() const;

    u64 date_at_zero_;  // seconds since 1970 at virtual time 0, modulo 2^64
    u8 index_ = 0;
    // The time registers in it are valid only while the clock is stopped (register B, SET).
    std::array<u8, kSize> memory_{};
};

}  // namespace uchronia::devices
