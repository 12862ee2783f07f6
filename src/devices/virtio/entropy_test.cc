#include "devices/virtio/entropy.h"

#include <gtest/gtest.h>

#include "devices/virtio/testing.h"

namespace uchronia::devices {
namespace {

TEST(Entropy, FillsEveryBufferFromTheTape) {
    CountingEntropy entropy;
    FakeDriver driver{std::make_unique<VirtioEntropy>(entropy)};
    driver.start();
    driver.memory.put(0x40000, ~u64{0});
    EXPECT_EQ(driver.send({{0x40000, 3, kWritable}, {0x41000, 9, kWritable}}), 12u);
    EXPECT_EQ(driver.memory.at<u64>(0x40000), 0xffffffffff000001u);
    EXPECT_EQ(driver.memory.at<u64>(0x41000), 0x0000'0200'0000'0000u);
    EXPECT_EQ(entropy.word, 2u);
}

TEST(Entropy, GivesAtMostItsMaximum) {
    CountingEntropy entropy;
    FakeDriver driver{std::make_unique<VirtioEntropy>(entropy)};
    driver.start();
    EXPECT_EQ(driver.send({{0x40000, 1 << 20, kWritable}}), VirtioEntropy::kMaximumBytes);
}

}  // namespace
}  // namespace uchronia::devices
