#include "devices/mmio_bus.h"

#include <gtest/gtest.h>

namespace uchronia::devices {
namespace {

constexpr VirtualTime kNow{0};

struct Register final : MMIODevice {
    std::string_view name() const override { return "register"; }
    void fields(FieldVisitor& v) override { v("value", value); }
    u64 read(u64 offset, unsigned, VirtualTime) override { return value + offset; }
    void write(u64 offset, unsigned, u64 v, VirtualTime) override { value = v - offset; }
    u64 value = 0;
};

TEST(MMIOBus, FindsDevicesAndCountsTheRest) {
    Register device;
    MMIOBus bus;
    bus.add(PhysicalAddress{0xd0000000}, 0x200, device);
    bus.write(PhysicalAddress{0xd0000010}, 4, 0x30, kNow);
    EXPECT_EQ(bus.read(PhysicalAddress{0xd00001ff}, 4, kNow), 0x20u + 0x1ff);
    EXPECT_EQ(bus.read(PhysicalAddress{0xd0000200}, 4, kNow), 0xffffffffu);
    EXPECT_EQ(bus.read(PhysicalAddress{~u64{7}}, 8, kNow), ~u64{0});
    const std::map<u64, u64> expected = {{0xd0000, 1}, {~u64{0} >> 12, 1}};
    EXPECT_EQ(bus.unknown_accesses(), expected);
}

TEST(MMIOBus, CountsABoundedNumberOfPages) {
    MMIOBus bus;
    for (u64 page = 0; page < 5000; ++page)
        bus.write(PhysicalAddress{page << kPageBits}, 1, 0, kNow);
    EXPECT_EQ(bus.unknown_accesses().size() + bus.uncounted_accesses(), 5000u);
    EXPECT_NE(bus.uncounted_accesses(), 0u);
}

}  // namespace
}  // namespace uchronia::devices
