#include "devices/cmos_rtc.h"

#include <gtest/gtest.h>

#include "devices/state_testing.h"

namespace uchronia::devices {
namespace {

constexpr u64 kStart = 1767225600;  // 2026-01-01T00:00:00Z, a Thursday

class CMOSRTCTest : public testing::Test {
  protected:
    static u8 get(CMOSRTC& rtc, int index, u64 second = 0) {
        rtc.write(0, 1, static_cast<u32>(index), VirtualTime{});
        return static_cast<u8>(rtc.read(1, 1, VirtualTime{second * 1'000'000'000}));
    }
    static void set(CMOSRTC& rtc, int index, int value, u64 second = 0) {
        rtc.write(0, 1, static_cast<u32>(index), VirtualTime{});
        rtc.write(1, 1, static_cast<u32>(value), VirtualTime{second * 1'000'000'000});
    }
    // Year, month, day, day of week, hours, minutes, seconds as they are read.
    static std::vector<int> date(CMOSRTC& rtc, u64 second) {
        std::vector<int> result;
        for (const int index : {0x32, 9, 8, 7, 6, 4, 2, 0})
            result.push_back(get(rtc, index, second));
        return result;
    }

    CMOSRTC rtc{kStart};
};

TEST_F(CMOSRTCTest, DateFollowsVirtualTime) {
    EXPECT_EQ(date(rtc, 0), (std::vector<int>{0x20, 0x26, 1, 1, 5, 0, 0, 0}));
    // 2028-02-29T23:59:58Z, a Tuesday.
    EXPECT_EQ(date(rtc, 1835481598 - kStart),
              (std::vector<int>{0x20, 0x28, 2, 0x29, 3, 0x23, 0x59, 0x58}));
    EXPECT_EQ(date(rtc, 1835481600 - kStart), (std::vector<int>{0x20, 0x28, 3, 1, 4, 0, 0, 0}));
    // 2100-03-01, after a February of 28 days.
    EXPECT_EQ(date(rtc, 4107542400 - kStart), (std::vector<int>{0x21, 0, 3, 1, 2, 0, 0, 0}));
    EXPECT_EQ(get(rtc, 0x0a), 0x26);
    EXPECT_EQ(get(rtc, 0x0c), 0);
    EXPECT_EQ(get(rtc, 0x0d), 0x80);
}

TEST_F(CMOSRTCTest, ReadingLeavesNoTrace) {
    const Digest before = hash_of(rtc);
    date(rtc, 99);
    rtc.write(0, 1, 0, VirtualTime{});
    EXPECT_EQ(hash_of(rtc), before);
}

TEST_F(CMOSRTCTest, BinaryAndTwelveHours) {
    set(rtc, 0x0b, 0x04);  // binary, 12 hours
    EXPECT_EQ(get(rtc, 9), 26);
    EXPECT_EQ(get(rtc, 4), 12);
    EXPECT_EQ(get(rtc, 4, 13 * 3600), 0x81);
    set(rtc, 0x0b, 0x77);
    EXPECT_EQ(get(rtc, 0x0b), 0x07);  // no interrupts to enable
}

TEST_F(CMOSRTCTest, CanBeSet) {
    set(rtc, 0x0b, 0x82, 10);  // stop
    EXPECT_EQ(get(rtc, 0, 20), 0x10);
    set(rtc, 9, 0x30, 20);
    set(rtc, 7, 0x15, 20);
    set(rtc, 0x0b, 0x02, 20);  // go on
    EXPECT_EQ(date(rtc, 21), (std::vector<int>{0x20, 0x30, 1, 0x15, 3, 0, 0, 0x11}));
    set(rtc, 2, 0x30, 21);  // and while it runs
    EXPECT_EQ(date(rtc, 22), (std::vector<int>{0x20, 0x30, 1, 0x15, 3, 0, 0x30, 0x12}));
}

TEST_F(CMOSRTCTest, AnyBytesGiveSomeDate) {
    for (const int mode : {0x82, 0x86, 0x80, 0x84}) {
        for (const int byte : {0x00, 0xff, 0x99, 0x7f}) {
            set(rtc, 0x0b, mode);
            for (const int index : {0x32, 9, 8, 7, 4, 2, 0})
                set(rtc, index, byte);
            set(rtc, 0x0b, mode & 0x7f);
            date(rtc, 1);
        }
    }
}

TEST_F(CMOSRTCTest, CheckpointInMidOperation) {
    set(rtc, 0x0b, 0x82, 10);
    set(rtc, 9, 0x30, 20);
    CMOSRTC copy{0};
    copy_state(rtc, copy);
    set(copy, 0x0b, 0x02, 20);
    EXPECT_EQ(get(copy, 9, 21), 0x30);
}

TEST_F(CMOSRTCTest, IndexFromADamagedStateStaysInside) {
    SavingVisitor saving;
    rtc.fields(saving);
    std::vector<u8> state = saving.take();
    state[8] = 0xff;  // behind the date
    LoadingVisitor loading(state);
    rtc.fields(loading);
    ASSERT_TRUE(loading.status().ok());
    rtc.write(1, 1, 0x5a, VirtualTime(0));
    EXPECT_EQ(rtc.read(1, 1, VirtualTime(0)), 0x5au);
    EXPECT_EQ(get(rtc, 0x7f, 0), 0x5a);
}

}  // namespace
}  // namespace uchronia::devices
