#include "devices/io_apic.h"

#include <gtest/gtest.h>

#include <vector>

#include "devices/state_testing.h"

namespace uchronia::devices {
namespace {

constexpr VirtualTime kNow{0};
constexpr u32 kMasked = 1u << 16, kLevel = 1u << 15, kRemoteIRR = 1u << 14;

struct RecordingBus : InterruptMessages {
    bool send(const InterruptMessage& message) override {
        messages.push_back(message);
        return accept;
    }
    std::vector<InterruptMessage> messages;
    bool accept = true;
};

class IOAPICTest : public testing::Test {
  protected:
    u32 get(u8 index) {
        io.write(0, 4, index, kNow);
        return static_cast<u32>(io.read(0x10, 4, kNow));
    }
    void set(u8 index, u32 value) {
        io.write(0, 4, index, kNow);
        io.write(0x10, 4, value, kNow);
    }

    RecordingBus bus;
    IOAPIC io{bus};
};

TEST_F(IOAPICTest, Registers) {
    EXPECT_EQ(get(1), 0x00170011u);
    set(0, 0xffffffff);
    EXPECT_EQ(get(0), 0x0f000000u);
    EXPECT_EQ(get(2), 0x0f000000u);
    EXPECT_EQ(get(0x10), kMasked);
    set(0x3e, 0xffffffff);
    EXPECT_EQ(get(0x3e), 0x0001afffu);  // status bits are read-only
    set(0x3f, 0xffffffff);
    EXPECT_EQ(get(0x3f), 0xff000000u);
    EXPECT_EQ(get(0x40), 0xffffffffu);
    EXPECT_EQ(io.read(0x44, 4, kNow), 0xffffffffu);
}

TEST_F(IOAPICTest, EdgesAreLostWhileMasked) {
    io.line(3).set(true);
    set(0x16, 0x42);
    EXPECT_TRUE(bus.messages.empty());
    io.line(3).set(true);
    EXPECT_TRUE(bus.messages.empty());
    io.line(3).set(false);
    io.line(3).set(true);
    ASSERT_EQ(bus.messages.size(), 1u);
    EXPECT_EQ(bus.messages[0].vector, 0x42);
    EXPECT_EQ(bus.messages[0].trigger, TriggerMode::kEdge);
}

TEST_F(IOAPICTest, LevelsWaitForTheMaskAndTheEnd) {
    io.line(3).set(true);
    set(0x16, kLevel | 0x42);
    ASSERT_EQ(bus.messages.size(), 1u);
    EXPECT_EQ(bus.messages[0].trigger, TriggerMode::kLevel);
    EXPECT_EQ(get(0x16), kLevel | kRemoteIRR | 0x42);
    io.line(3).set(false);
    io.line(3).set(true);
    EXPECT_EQ(bus.messages.size(), 1u);
    io.end_of_interrupt(0x41);
    EXPECT_EQ(bus.messages.size(), 1u);
    io.end_of_interrupt(0x42);
    EXPECT_EQ(bus.messages.size(), 2u);
    set(0x16, kMasked | 0x42);  // edge: forgets the remote IRR
    EXPECT_EQ(get(0x16), kMasked | 0x42);
}

TEST_F(IOAPICTest, UnacceptedLevelIsNotInService) {
    bus.accept = false;
    set(0x16, kLevel | 0x42);
    io.line(3).set(true);
    EXPECT_EQ(get(0x16), kLevel | 0x42);
    bus.accept = true;
    set(0x16, kLevel | 0x43);
    EXPECT_EQ(get(0x16), kLevel | kRemoteIRR | 0x43);
}

TEST_F(IOAPICTest, CheckpointInMidOperation) {
    set(0x17, 0x05000000);
    set(0x16, kLevel | 0x42);
    io.line(3).set(true);
    IOAPIC copy{bus};
    copy_state(io, copy);
    bus.messages.clear();
    copy.end_of_interrupt(0x42);
    ASSERT_EQ(bus.messages.size(), 1u);
    EXPECT_EQ(bus.messages[0].destination, 5u);
}

}  // namespace
}  // namespace uchronia::devices
