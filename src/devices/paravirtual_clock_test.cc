#include "devices/paravirtual_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "devices/state_testing.h"

namespace uchronia::devices {
namespace {

class SmallMemory final : public memory::GuestMemory {
  public:
    bool read(PhysicalAddress address, std::span<u8> out) const override {
        if (address.value > bytes.size() || out.size() > bytes.size() - address.value)
            return false;
        std::copy_n(bytes.begin() + static_cast<i64>(address.value), out.size(), out.begin());
        return true;
    }
    bool write(PhysicalAddress address, std::span<const u8> in) override {
        if (address.value > bytes.size() || in.size() > bytes.size() - address.value)
            return false;
        std::copy(in.begin(), in.end(), bytes.begin() + static_cast<i64>(address.value));
        return true;
    }
    template <class T>
    T at(u64 address) const {
        T value{};
        EXPECT_TRUE(load(PhysicalAddress{address}, value));
        return value;
    }
    std::array<u8, 4096> bytes{};
};

class ParavirtualClockTest : public testing::Test {
  protected:
    // What the guest computes (Documentation/virt/kvm/x86/msr.rst).
    u64 guest_time(u64 address, u64 tsc) const {
        const u64 difference = tsc - memory.at<u64>(address + 8);
        const u64 shifted = difference << memory.at<u8>(address + 28);
        const u64 scaled = static_cast<u64>(u128{shifted} * memory.at<u32>(address + 24) >> 32);
        return memory.at<u64>(address + 16) + scaled;
    }

    SmallMemory memory;
    ParavirtualClock clock{memory, 2, ParavirtualClock::kDefaultStartDate};
};

TEST_F(ParavirtualClockTest, GuestTimeIsVirtualTime) {
    EXPECT_TRUE(clock.msr_write(1, ParavirtualClock::kMSRSystemTime, 0x101, VirtualTime{5000}, 0));
    EXPECT_EQ(memory.at<u32>(0x100), 2u);
    EXPECT_EQ(memory.at<u8>(0x100 + 29), 1);  // TSC stable
    EXPECT_EQ(guest_time(0x100, 5000), 5000u);
    EXPECT_EQ(guest_time(0x100, 123'456'789'012'345), 123'456'789'012'345u);
    clock.tsc_moved(1, VirtualTime{6000}, 1'000'000);
    EXPECT_EQ(memory.at<u32>(0x100), 4u);
    EXPECT_EQ(guest_time(0x100, 1'007'000), 7000u);
    clock.tsc_moved(0, VirtualTime{6000}, 1'000'000);  // not enabled there
    EXPECT_EQ(memory.at<u32>(0), 0u);
}

TEST_F(ParavirtualClockTest, WallClock) {
    EXPECT_TRUE(clock.msr_write(0, ParavirtualClock::kMSRWallClock, 0x200, VirtualTime{77}, 0));
    EXPECT_EQ(memory.at<u32>(0x200), 2u);
    EXPECT_EQ(memory.at<u32>(0x204), 1767225600u);
    EXPECT_EQ(memory.at<u32>(0x208), 0u);
}

TEST_F(ParavirtualClockTest, BadRequests) {
    constexpr VirtualTime kNow{0};
    u64 value = 0;
    EXPECT_FALSE(clock.msr_write(0, ParavirtualClock::kMSRSystemTime, 0x103, kNow, 0));
    EXPECT_FALSE(clock.msr_write(0, ParavirtualClock::kMSRWallClock, 0x201, kNow, 0));
    EXPECT_FALSE(clock.msr_write(0, 0x12, 0x200, kNow, 0));
    EXPECT_TRUE(clock.msr_write(0, ParavirtualClock::kMSRSystemTime, ~u64{2}, kNow, 0));
    EXPECT_TRUE(clock.msr_read(0, ParavirtualClock::kMSRSystemTime, value));
    EXPECT_EQ(value, ~u64{2});
    EXPECT_TRUE(std::all_of(memory.bytes.begin(), memory.bytes.end(), [](u8 b) { return b == 0; }));
}

TEST_F(ParavirtualClockTest, CheckpointInMidOperation) {
    clock.msr_write(0, ParavirtualClock::kMSRSystemTime, 0x101, VirtualTime{5000}, 0);
    clock.msr_write(0, ParavirtualClock::kMSRWallClock, 0x200, VirtualTime{5000}, 0);
    ParavirtualClock copy{memory, 2, ParavirtualClock::kDefaultStartDate};
    copy_state(clock, copy);
    copy.tsc_moved(0, VirtualTime{6000}, 0);
    EXPECT_EQ(memory.at<u32>(0x100), 4u);
}

}  // namespace
}  // namespace uchronia::devices
