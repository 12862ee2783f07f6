#include "devices/uart_16550.h"

namespace uchronia::devices {
namespace {

// clang-format off
enum : u16 { kData, kInterruptEnable, kIdentification, kLineControl, kModemControl, kLineStatus,
             kModemStatus, kScratch };
// clang-format on

// Interrupt enable register.
constexpr u8 kEnableReceived = 1, kEnableTransmitter = 2, kEnableLineStatus = 4, kEnableModem = 8;
// Interrupt identification register: what is pending, by falling priority.
constexpr u8 kLineStatusPending = 0x06, kReceivedPending = 0x04, kTimeOutPending = 0x0c,
             kTransmitterPending = 0x02, kModemPending = 0x00, kNothingPending = 0x01;
constexpr u8 kFIFOsEnabled = 0xc0;
// FIFO control register.
constexpr u8 kEnableFIFO = 0x01, kClearReceiver = 0x02, kFIFOControlKept = 0xc9;
// Line control and status.
constexpr u8 kDivisorAccess = 0x80;
constexpr u8 kDataReady = 0x01, kOverrun = 0x02, kTransmitterEmpty = 0x60;
// Modem control and status.
constexpr u8 kDTR = 0x01, kRTS = 0x02, kOUT1 = 0x04, kOUT2 = 0x08, kLoopback = 0x10;
constexpr u8 kCTS = 0x10, kDSR = 0x20, kRI = 0x40, kDCD = 0x80;
constexpr u8 kTrailingEdgeRI = 0x04;

constexpr unsigned kFIFOSize = 16;
constexpr u8 kTriggerLevels[4] = {1, 4, 8, 14};

}  // namespace

void UART16550::fields(FieldVisitor& v) {
    v("interrupt_enable", interrupt_enable_);
    v("fifo_control", fifo_control_);
    v("line_control", line_control_);
    v("modem_control", modem_control_);
    v("modem_deltas", modem_deltas_);
    v("scratch", scratch_);
    v("divisor", divisor_);
    v("overrun", overrun_);
    v("transmitter_interrupt", transmitter_interrupt_);
    v("received", received_);
}

unsigned UART16550::fifo_size() const {
    return (fifo_control_ & kEnableFIFO) != 0 ? kFIFOSize : 1;
}

bool UART16550::divisor_access() const {
    return (line_control_ & kDivisorAccess) != 0;
}

bool UART16550::loopback() const {
    return (modem_control_ & kLoopback) != 0;
}

unsigned UART16550::receive_space() const {
    const unsigned used = static_cast<unsigned>(received_.size());
    return used < fifo_size() ? fifo_size() - used : 0;
}

void UART16550::receive(u8 byte) {
    if (receive_space() == 0)
        overrun_ = kOverrun;
    else
        received_.push_back(byte);
    update_line();
}

// The modem status inputs; in loopback they are our own outputs (datasheet 8.6.7, bit 4).
u8 UART16550::modem_lines() const {
    if (!loopback())
        return kCTS | kDSR | kDCD;
    u8 lines = 0;
    lines |= (modem_control_ & kRTS) != 0 ? kCTS : 0;
    lines |= (modem_control_ & kDTR) != 0 ? kDSR : 0;
    lines |= (modem_control_ & kOUT1) != 0 ? kRI : 0;
    lines |= (modem_control_ & kOUT2) != 0 ? kDCD : 0;
    return lines;
}

u8 UART16550::pending_interrupt() const {
    if ((interrupt_enable_ & kEnableLineStatus) != 0 && overrun_ != 0)
        return kLineStatusPending;
    if ((interrupt_enable_ & kEnableReceived) != 0 && !received_.empty()) {
        const bool fifo = (fifo_control_ & kEnableFIFO) != 0;
        const bool triggered = !fifo || received_.size() >= kTriggerLevels[fifo_control_ >> 6];
        return triggered ? kReceivedPending : kTimeOutPending;
    }
    if ((interrupt_enable_ & kEnableTransmitter) != 0 && transmitter_interrupt_ != 0)
        return kTransmitterPending;
    if ((interrupt_enable_ & kEnableModem) != 0 && modem_deltas_ != 0)
        return kModemPending;
    return kNothingPending;
}

// On a PC, OUT2 connects the chip to its interrupt line; in loopback the output is inactive.
void UART16550::update_line() {
    const bool connected = (modem_control_ & kOUT2) != 0 && !loopback();
    line_.set(connected && pending_interrupt() != kNothingPending);
}

u8 UART16550::read_byte(u16 port, VirtualTime /*now*/) {
    switch (port) {
        case kData:
            return divisor_access() ? static_cast<u8>(divisor_) : read_data();
        case kInterruptEnable:
            return divisor_access() ? static_cast<u8>(divisor_ >> 8) : interrupt_enable_;
        case kIdentification:
            return read_identification();
        case kLineControl:
            return line_control_;
        case kModemControl:
            return modem_control_;
        case kLineStatus:
            return read_line_status();
        case kModemStatus:
            return read_modem_status();
        case kScratch:
            return scratch_;
        default:
            return 0xff;
    }
}

void UART16550::write_byte(u16 port, u8 value, VirtualTime /*now*/) {
    switch (port) {
        case kData:
            if (divisor_access())
                divisor_ = static_cast<u16>((divisor_ & 0xff00) | value);
            else
                write_data(value);
            break;
        case kInterruptEnable:
            if (divisor_access())
                divisor_ = static_cast<u16>((divisor_ & 0xff) | value << 8);
            else
                write_interrupt_enable(value);
            break;
        case kIdentification:
            write_fifo_control(value);
            break;
        case kLineControl:
            line_control_ = value;
            break;
        case kModemControl:
            write_modem_control(value);
            break;
        case kScratch:
            scratch_ = value;
            break;
        default:
            break;  // the status registers are for reading
    }
}

u8 UART16550::read_data() {
    if (received_.empty())
        return 0;
    const u8 byte = received_.front();
    received_.erase(received_.begin());
    update_line();
    return byte;
}

// Reading it takes back the transmitter's interrupt if that is what it reports (datasheet, table
// IV).
u8 UART16550::read_identification() {
    const u8 pending = pending_interrupt();
    if (pending == kTransmitterPending) {
        transmitter_interrupt_ = 0;
        update_line();
    }
    return static_cast<u8>(pending | ((fifo_control_ & kEnableFIFO) != 0 ? kFIFOsEnabled : 0));
}

u8 UART16550::read_line_status() {
    const u8 status =
        static_cast<u8>(kTransmitterEmpty | overrun_ | (received_.empty() ? 0 : kDataReady));
    overrun_ = 0;
    update_line();
    return status;
}

u8 UART16550::read_modem_status() {
    const u8 status = static_cast<u8>(modem_lines() | modem_deltas_);
    modem_deltas_ = 0;
    update_line();
    return status;
}

void UART16550::write_data(u8 value) {
    if (loopback())
        receive(value);
    else
        sink_.put(value);
    transmitter_interrupt_ = 1;
    update_line();
}

// Enabling the transmitter's interrupt while it is empty reports it again.
void UART16550::write_interrupt_enable(u8 value) {
    if ((value & ~interrupt_enable_ & kEnableTransmitter) != 0)
        transmitter_interrupt_ = 1;
    interrupt_enable_ = value & 0x0f;
    update_line();
}

// Changing the enable bit clears the FIFO; the other bits count only with it (datasheet 8.4).
void UART16550::write_fifo_control(u8 value) {
    const bool toggled = ((value ^ fifo_control_) & kEnableFIFO) != 0;
    if (toggled || (value & kClearReceiver) != 0)
        received_.clear();
    fifo_control_ = (value & kEnableFIFO) != 0 ? static_cast<u8>(value & kFIFOControlKept) : u8{0};
    update_line();
}

void UART16550::write_modem_control(u8 value) {
    const u8 before = modem_lines();
    modem_control_ = value & 0x1f;
    const u8 after = modem_lines();
    u8 deltas = static_cast<u8>((before ^ after) >> 4);
    if ((before & ~after & kRI) == 0)  // RI is reported by its trailing edge only
        deltas = static_cast<u8>(deltas & ~kTrailingEdgeRI);
    modem_deltas_ |= deltas;
    update_line();
}

}  // namespace uchronia::devices
