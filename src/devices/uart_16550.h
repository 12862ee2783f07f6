// The 16550 serial port of a PC.
//
// Source: National Semiconductor PC16550D datasheet (June 1995), section 8.
//
// Transmission takes no time: a byte is at the sink when the write to the transmitter register
// ends, so that the transmitter is always empty. For the same reason the receiver's time-out
// interrupt, due when fewer characters than the trigger level wait for long, is there at once. The
// baud rate divisor is storage. The other end holds CTS, DSR and DCD and never sends errors or
// breaks.
#pragma once

#include <vector>

#include "devices/byte_port_device.h"

namespace uchronia::devices {

// Where the transmitted bytes go.
class CharacterSink {
  public:
    virtual ~CharacterSink() = default;
    virtual void put(u8 byte) = 0;
};

class UART16550 final : public BytePortDevice {
  public:
    static constexpr u16 kCOM1 = 0x3f8;
    static constexpr u16 kPortCount = 8;
    static constexpr unsigned kCOM1Interrupt = 4;

    UART16550(CharacterSink& sink, InterruptLine& line) : sink_(sink), line_(line) {}

    // How many bytes receive() can take now, and a byte from the other end. One more than there is
    // room for is lost and reported as an overrun.
    unsigned receive_space() const;
    void receive(u8 byte);

    std::string_view name() const override { return "uart_16550"; }
    void fields(FieldVisitor& v) override;

  private:
    u8 read_byte(u16 port, VirtualTime now) override;
    void write_byte(u16 port, u8 value, VirtualTime now) override;

    unsigned fifo_size() const;
    bool divisor_access() const;
    bool loopback() const;
    u8 modem_lines() const;
    u8 pending_interrupt() const;
    void update_line();

    u8 read_data();
    u8 read_identification();
    u8 read_line_status();
    u8 read_modem_status();
    void write_data(u8 value);
    void write_interrupt_enable(u8 value);
    void write_fifo_control(u8 value);
    void write_modem_control(u8 value);

    CharacterSink& sink_;
    InterruptLine& line_;

    u8 interrupt_enable_ = 0;
    u8 fifo_control_ = 0;
    u8 line_control_ = 0;
    u8 modem_control_ = 0;
    u8 modem_deltas_ = 0;
    u8 scratch_ = 0;
    u16 divisor_ = 0;
    u8 overrun_ = 0;
    u8 transmitter_interrupt_ = 0;  // 1 if "transmitter empty" was not reported yet
    std::vector<u8> received_;
};

}  // namespace uchronia::devices
