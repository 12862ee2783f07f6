#include "devices/pci_configuration.h"

#include <gtest/gtest.h>

namespace uchronia::devices {
namespace {

constexpr VirtualTime kNow{0};

TEST(PCIConfiguration, LooksLikeAnEmptyBus) {
    PCIConfiguration pci;
    // What Linux does to find the mechanism (arch/x86/pci/direct.c).
    pci.write(3, 1, 1, kNow);
    EXPECT_EQ(pci.read(0, 4, kNow), 0u);
    pci.write(0, 4, 0x80000000, kNow);
    EXPECT_EQ(pci.read(0, 4, kNow), 0x80000000u);
    EXPECT_EQ(pci.read(4, 4, kNow), 0xffffffffu);
    EXPECT_EQ(pci.read(6, 2, kNow) & 0xffff, 0xffffu);
}

TEST(PCIConfiguration, ReservedAddressBitsReadAsZero) {
    PCIConfiguration pci;
    pci.write(0, 4, 0xffffffff, kNow);
    EXPECT_EQ(pci.read(0, 4, kNow), 0x80fffffcu);
}

}  // namespace
}  // namespace uchronia::devices
