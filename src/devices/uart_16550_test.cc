#include "devices/uart_16550.h"

#include <gtest/gtest.h>

#include <string>

#include "devices/state_testing.h"

namespace uchronia::devices {
namespace {

constexpr VirtualTime kNow{0};
enum : u16 { kData, kIER, kIIR, kLCR, kMCR, kLSR, kMSR, kScratch };
constexpr u16 kFCR = kIIR;

struct Text : CharacterSink {
    void put(u8 byte) override { text.push_back(static_cast<char>(byte)); }
    std::string text;
};

class UART16550Test : public testing::Test {
  protected:
    u32 get(u16 port) { return uart.read(port, 1, kNow); }
    void set(u16 port, u32 value) { uart.write(port, 1, value, kNow); }

    Text sink;
    RecordingLine line;
    UART16550 uart{sink, line};
};

TEST_F(UART16550Test, TransmitsAtOnce) {
    for (const char c : std::string("hello"))
        set(kData, static_cast<u8>(c));
    EXPECT_EQ(sink.text, "hello");
    EXPECT_EQ(get(kLSR), 0x60u);
    EXPECT_FALSE(line.level);
}

TEST_F(UART16550Test, DivisorLatchAndStorage) {
    set(kLCR, 0x83);
    set(kData, 0x0c);
    set(kIER, 0x01);
    EXPECT_EQ(get(kData), 0x0cu);
    EXPECT_EQ(get(kIER), 0x01u);
    set(kLCR, 0x03);
    EXPECT_EQ(get(kIER), 0u);
    EXPECT_TRUE(sink.text.empty());
    set(kScratch, 0x5a);
    EXPECT_EQ(get(kScratch), 0x5au);
    EXPECT_EQ(uart.read(kScratch, 2, kNow), 0xff5au);
}

TEST_F(UART16550Test, TransmitterInterrupt) {
    set(kMCR, 0x08);
    set(kIER, 0x02);
    EXPECT_TRUE(line.level);
    EXPECT_EQ(get(kIIR), 0x02u);
    EXPECT_FALSE(line.level);  // reported
    EXPECT_EQ(get(kIIR), 0x01u);
    set(kData, 'x');
    EXPECT_TRUE(line.level);
    set(kIER, 0);
    EXPECT_FALSE(line.level);
    set(kIER, 0x02);  // again, as the transmitter is still empty
    EXPECT_TRUE(line.level);
    set(kMCR, 0);  // OUT2 disconnects the line
    EXPECT_FALSE(line.level);
    EXPECT_EQ(line.edges, 3);
}

TEST_F(UART16550Test, ReceivesThroughTheFIFO) {
    set(kMCR, 0x08);
    set(kIER, 0x05);
    set(kFCR, 0x41);  // trigger at 4
    EXPECT_EQ(uart.receive_space(), 16u);
    for (u8 i = 0; i < 3; ++i)
        uart.receive(i);
    EXPECT_EQ(get(kIIR), 0xccu);  // time-out
    uart.receive(3);
    EXPECT_EQ(get(kIIR), 0xc4u);
    EXPECT_EQ(get(kLSR), 0x61u);
    for (u8 i = 0; i < 4; ++i)
        EXPECT_EQ(get(kData), i);
    EXPECT_FALSE(line.level);
    for (u8 i = 0; i < 17; ++i)
        uart.receive(i);
    EXPECT_EQ(get(kIIR), 0xc6u);
    EXPECT_EQ(get(kLSR), 0x63u);  // overrun, until read
    EXPECT_EQ(get(kLSR), 0x61u);
    set(kFCR, 0);
    EXPECT_EQ(get(kLSR), 0x60u);
    EXPECT_EQ(uart.receive_space(), 1u);
}

TEST_F(UART16550Test, Loopback) {
    EXPECT_EQ(get(kMSR), 0xb0u);
    set(kMCR, 0x1a);  // as Linux tests for a chip
    EXPECT_EQ(get(kMSR) & 0xf0, 0x90u);
    set(kData, 'l');
    EXPECT_TRUE(sink.text.empty());
    EXPECT_EQ(get(kData), u32{'l'});
    set(kMCR, 0x14);
    get(kMSR);
    set(kMCR, 0x10);
    EXPECT_EQ(get(kMSR), 0x04u);  // trailing edge of RI
    EXPECT_EQ(get(kMSR), 0x00u);
}

TEST_F(UART16550Test, CheckpointInMidOperation) {
    set(kMCR, 0x08);
    set(kIER, 0x07);
    set(kFCR, 0x01);
    uart.receive('a');
    uart.receive('b');
    get(kData);
    RecordingLine other_line;
    UART16550 copy{sink, other_line};
    copy_state(uart, copy);
    EXPECT_EQ(copy.read(kIIR, 1, kNow), 0xc4u);
    EXPECT_EQ(copy.read(kData, 1, kNow), u32{'b'});
    EXPECT_EQ(copy.read(kIIR, 1, kNow), 0xc2u);
}

}  // namespace
}  // namespace uchronia::devices
