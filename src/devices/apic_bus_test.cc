#include "devices/apic_bus.h"

#include <gtest/gtest.h>

#include "devices/io_apic.h"
#include "devices/local_apic.h"

namespace uchronia::devices {
namespace {

constexpr VirtualTime kNow{0};

// Two xAPICs in the flat logical model, and an IO-APIC.
class APICBusTest : public testing::Test {
  protected:
    APICBusTest() {
        bus.connect(first);
        bus.connect(second);
        bus.connect(io);
        u32 logical = 1;
        for (LocalAPIC* apic : {&first, &second}) {
            apic->write(0xf0, 4, 0x1ff, kNow);
            apic->write(0xd0, 4, logical << 24, kNow);
            logical <<= 1;
        }
    }
    void configure(unsigned pin, u64 entry) {
        io.write(0, 4, 0x11 + 2 * pin, kNow);
        io.write(0x10, 4, entry >> 32, kNow);
        io.write(0, 4, 0x10 + 2 * pin, kNow);
        io.write(0x10, 4, entry & 0xffffffff, kNow);
    }

    APICBus bus;
    LocalAPIC first{0, LocalAPIC::Role::kBootProcessor, bus};
    LocalAPIC second{1, LocalAPIC::Role::kApplicationProcessor, bus};
    IOAPIC io{bus};
};

TEST_F(APICBusTest, LevelInterruptComesBackUntilTheLineFalls) {
    configure(5, u64{2} << 56 | 1u << 15 | 1u << 11 | 0x61);  // logical, second, level
    io.line(5).set(true);
    EXPECT_FALSE(first.interrupt_pending());
    EXPECT_EQ(second.acknowledge(), 0x61);
    second.write(0xb0, 4, 0, kNow);  // EOI, while the line is still asserted
    EXPECT_EQ(second.acknowledge(), 0x61);
    io.line(5).set(false);
    second.write(0xb0, 4, 0, kNow);
    EXPECT_FALSE(second.interrupt_pending());
    io.line(5).set(true);
    EXPECT_TRUE(second.interrupt_pending());
}

TEST_F(APICBusTest, BroadcastAndClusters) {
    configure(1, u64{0xff} << 56 | 0x31);
    io.line(1).set(true);
    EXPECT_EQ(first.acknowledge(), 0x31);
    EXPECT_EQ(second.acknowledge(), 0x31);
    for (LocalAPIC* apic : {&first, &second})
        apic->write(0xe0, 4, 0, kNow);  // cluster model
    first.write(0xd0, 4, 0x11u << 24, kNow);
    second.write(0xd0, 4, 0x21u << 24, kNow);
    EXPECT_TRUE(first.matches(DestinationMode::kLogical, 0x13));
    EXPECT_FALSE(second.matches(DestinationMode::kLogical, 0x13));
    EXPECT_TRUE(second.matches(DestinationMode::kLogical, 0x23));
}

TEST_F(APICBusTest, NobodyAccepts) {
    first.write(0xf0, 4, 0xff, kNow);  // software-disabled
    EXPECT_FALSE(bus.send({.vector = 0x40, .destination = 0}));
    EXPECT_FALSE(bus.send({.vector = 0x40, .destination = 9}));
    EXPECT_TRUE(bus.send({.delivery = DeliveryMode::kNMI, .destination = 0}));
    EXPECT_TRUE(first.take_nmi());
    EXPECT_FALSE(bus.send({.vector = 0x40, .delivery = DeliveryMode::kExternal}));
}

}  // namespace
}  // namespace uchronia::devices
