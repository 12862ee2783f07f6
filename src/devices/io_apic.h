// The IO-APIC: 24 interrupt lines, each with an entry that says which message it becomes.
//
// Source: Intel 82093AA I/O Advanced Programmable Interrupt Controller (datasheet 290566-001),
// chapter 3.
//
// A line's level is "asserted", whatever the polarity: the wires of this machine are always driven
// with the polarity that the guest configures, so that the polarity bit is storage only. Delivery
// is instantaneous; the delivery status bit always reads as idle.
#pragma once

#include <array>

#include "devices/device.h"
#include "devices/interrupt_message.h"

namespace uchronia::devices {

class IOAPIC final : public MMIODevice {
  public:
    static constexpr unsigned kPinCount = 24;
    static constexpr u64 kDefaultBase = 0xfec00000;
    static constexpr u64 kSize = 0x1000;

    explicit IOAPIC(InterruptMessages& bus);
    IOAPIC(const IOAPIC&) = delete;
    IOAPIC& operator=(const IOAPIC&) = delete;

    // The input of a pin (less than kPinCount).
    InterruptLine& line(unsigned pin);

    // From the bus: a level-triggered interrupt with this vector is over.
    void end_of_interrupt(u8 vector);

    std::string_view name() const override { return "io_apic"; }
    void fields(FieldVisitor& v) override;
    u64 read(u64 offset, unsigned size, VirtualTime now) override;
    void write(u64 offset, unsigned size, u64 value, VirtualTime now) override;

  private:
    class Line final : public InterruptLine {
      public:
        void connect(IOAPIC& apic, unsigned pin) {
            apic_ = &apic;
            pin_ = pin;
        }
        void set(bool level) override { apic_->set_line(pin_, level); }

      private:
        IOAPIC* apic_ = nullptr;
        unsigned pin_ = 0;
    };

    void set_line(unsigned pin, bool level);
    bool is_level(unsigned pin) const;
    bool send(unsigned pin);
    // Sends a level-triggered pin's message if it is due.
    void service_level(unsigned pin);

    u32 read_register() const;
    void write_register(u32 value);

    InterruptMessages& bus_;
    std::array<Line, kPinCount> inputs_;

    u8 select_ = 0;
    u32 id_ = 0;
    u32 levels_ = 0;  // a bit for each pin
    std::array<u64, kPinCount> entries_{};
};

}  // namespace uchronia::devices
