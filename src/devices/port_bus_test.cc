#include "devices/port_bus.h"

#include <gtest/gtest.h>

#include "devices/acpi_power.h"

namespace uchronia::devices {
namespace {

constexpr VirtualTime kNow{0};

TEST(PortBus, FindsDevicesAndCountsTheRest) {
    ACPIPower first, second;
    PortBus bus;
    bus.add(0x600, 3, first);
    bus.add(0x500, 3, second);
    bus.write(0x602, 1, ACPIPower::kResetValue, kNow);
    EXPECT_EQ(first.request(), PowerRequest::kReset);
    EXPECT_EQ(second.request(), PowerRequest::kNone);
    EXPECT_EQ(bus.read(0x500, 1, kNow), 0u);
    EXPECT_TRUE(bus.unknown_accesses().empty());
    EXPECT_EQ(bus.read(0x603, 1, kNow), 0xffu);
    EXPECT_EQ(bus.read(0x603, 2, kNow), 0xffffu);
    EXPECT_EQ(bus.read(0xffff, 4, kNow), 0xffffffffu);
    bus.write(0x80, 1, 7, kNow);
    const std::map<u16, u64> expected = {{0x80, 1}, {0x603, 2}, {0xffff, 1}};
    EXPECT_EQ(bus.unknown_accesses(), expected);
}

}  // namespace
}  // namespace uchronia::devices
