#include "machine/acpi.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace uchronia::machine {
namespace {

constexpr u64 kBase = 0xe0000;

class ACPITest : public testing::Test {
  protected:
    ACPITest() {
        config.vcpu_count = 3;
        config.virtio = {{0xd0000000, 0x200, 5}, {0xd0000200, 0x200, 6}};
        tables = build_acpi_tables(config, PhysicalAddress{kBase});
    }

    template <class T>
    T at(u64 address) const {
        T value{};
        EXPECT_LE(address - kBase + sizeof value, tables.size());
        std::memcpy(&value, tables.data() + (address - kBase), sizeof value);
        return value;
    }
    std::string text(u64 address, std::size_t size) const {
        return {tables.begin() + static_cast<i64>(address - kBase),
                tables.begin() + static_cast<i64>(address - kBase + size)};
    }
    u8 sum(u64 address, u64 size) const {
        u8 result = 0;
        for (u64 i = 0; i < size; ++i)
            result = static_cast<u8>(result + at<u8>(address + i));
        return result;
    }
    u64 xsdt() const { return at<u64>(kBase + 24); }
    u64 fadt() const { return at<u64>(xsdt() + 36); }
    u64 madt() const { return at<u64>(xsdt() + 44); }
    u64 dsdt() const { return at<u64>(fadt() + 140); }

    ACPIConfig config;
    std::vector<u8> tables;
};

TEST_F(ACPITest, EveryTableIsFoundAndSumsToZero) {
    EXPECT_EQ(text(kBase + kRSDPOffset, 8), "RSD PTR ");
    EXPECT_EQ(sum(kBase, 20), 0);
    EXPECT_EQ(sum(kBase, 36), 0);
    const std::pair<u64, std::string> expected[] = {
        {xsdt(), "XSDT"}, {fadt(), "FACP"}, {madt(), "APIC"}, {dsdt(), "DSDT"}};
    for (const auto& [address, signature] : expected) {
        EXPECT_EQ(text(address, 4), signature);
        EXPECT_EQ(address % 16, 0u);
        EXPECT_EQ(sum(address, at<u32>(address + 4)), 0) << signature;
    }
    EXPECT_EQ(at<u32>(xsdt() + 4), 36u + 2 * 8);
}

TEST_F(ACPITest, FADT) {
    EXPECT_EQ(at<u32>(fadt() + 4), 276u);
    const u32 flags = at<u32>(fadt() + 112);
    EXPECT_NE(flags & 1u << 20, 0u);  // hardware-reduced
    EXPECT_NE(flags & 1u << 10, 0u);  // reset register
    EXPECT_EQ(at<u64>(fadt() + 120), 0x602u);
    EXPECT_EQ(at<u64>(fadt() + 248), 0x600u);
    EXPECT_EQ(at<u64>(fadt() + 260), 0x601u);
    EXPECT_EQ(at<u16>(fadt() + 109), 0x24);
    config.rtc = ACPIConfig::RTC::kPresent;
    tables = build_acpi_tables(config, PhysicalAddress{kBase});
    EXPECT_EQ(at<u16>(fadt() + 109), 0x04);
}

TEST_F(ACPITest, MADT) {
    EXPECT_EQ(at<u32>(madt() + 4), 36u + 8 + 3 * 8 + 12);
    EXPECT_EQ(at<u32>(madt() + 36), 0xfee00000u);
    EXPECT_EQ(at<u32>(madt() + 40), 0u);
    EXPECT_EQ(at<u64>(madt() + 44 + 2 * 8), 0x1'0202'0800u);
    EXPECT_EQ(at<u32>(madt() + 44 + 3 * 8 + 4), 0xfec00000u);
}

TEST_F(ACPITest, DSDTHasEachDevice) {
    const std::string aml = text(dsdt(), at<u32>(dsdt() + 4));
    for (const char* found : {"C000", "C002", "COM1", "V000", "V001", "LNRO0005", "ACPI0007"})
        EXPECT_NE(aml.find(found), std::string::npos) << found;
    for (const char* absent : {"C003", "V002", "RTC0"})
        EXPECT_EQ(aml.find(absent), std::string::npos) << absent;
}

TEST_F(ACPITest, DependsOnNothingElse) {
    EXPECT_EQ(build_acpi_tables(config, PhysicalAddress{kBase}), tables);
}

}  // namespace
}  // namespace uchronia::machine
