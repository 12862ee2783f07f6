#include "devices/acpi_power.h"

#include <gtest/gtest.h>

#include "devices/state_testing.h"

namespace uchronia::devices {
namespace {

constexpr VirtualTime kNow{0};

TEST(ACPIPower, OffOnlyByEnabledS5) {
    ACPIPower power;
    power.write(ACPIPower::kSleepControl, 1, ACPIPower::kSleepTypeOff << 2, kNow);
    EXPECT_EQ(power.request(), PowerRequest::kNone);
    EXPECT_EQ(power.read(ACPIPower::kSleepControl, 1, kNow), 5u << 2);
    power.write(ACPIPower::kSleepControl, 1, 3u << 2 | 0x20, kNow);
    EXPECT_EQ(power.request(), PowerRequest::kNone);
    power.write(ACPIPower::kSleepControl, 1, 5u << 2 | 0x20, kNow);
    EXPECT_EQ(power.request(), PowerRequest::kOff);
    ACPIPower copy;
    copy_state(power, copy);
    EXPECT_EQ(copy.request(), PowerRequest::kOff);
    copy.clear_request();
    EXPECT_EQ(copy.request(), PowerRequest::kNone);
}

TEST(ACPIPower, Reset) {
    ACPIPower power;
    power.write(ACPIPower::kReset, 1, 0, kNow);
    EXPECT_EQ(power.request(), PowerRequest::kNone);
    power.write(ACPIPower::kReset, 1, ACPIPower::kResetValue, kNow);
    EXPECT_EQ(power.request(), PowerRequest::kReset);
    EXPECT_EQ(power.read(0, 4, kNow), 0xff000000u);
}

}  // namespace
}  // namespace uchronia::devices
