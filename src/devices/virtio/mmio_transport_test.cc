#include "devices/virtio/mmio_transport.h"

#include <gtest/gtest.h>

#include "devices/virtio/entropy.h"
#include "devices/virtio/testing.h"

namespace uchronia::devices {
namespace {

constexpr u64 kBuffer = 0x40000;

class MMIOTransport : public testing::Test {
  protected:
    CountingEntropy entropy;
    FakeDriver driver{std::make_unique<VirtioEntropy>(entropy)};
};

TEST_F(MMIOTransport, Identifies) {
    EXPECT_EQ(driver.get(0x00), 0x74726976u);
    EXPECT_EQ(driver.get(0x04), 2u);
    EXPECT_EQ(driver.get(0x08), 4u);
    EXPECT_EQ(driver.get(0x34), 64u);
    driver.set(0x30, 1);
    EXPECT_EQ(driver.get(0x34), 0u);
    EXPECT_EQ(driver.get(0xb0), ~0u);
    EXPECT_EQ(driver.get(0xb4), ~0u);
    EXPECT_EQ(driver.get(0xfc), 0u);
}

TEST_F(MMIOTransport, IgnoresAccessesOfOtherSizes) {
    EXPECT_EQ(driver.transport.read(0, 1, VirtualTime(0)), 0u);
    EXPECT_EQ(driver.transport.read(2, 4, VirtualTime(0)), 0u);
    EXPECT_EQ(driver.transport.read(0x1ff, 8, VirtualTime(0)), 0u);
    driver.transport.write(0x70, 1, 1, VirtualTime(0));
    driver.transport.write(0x1ff, 8, ~u64{0}, VirtualTime(0));
    EXPECT_EQ(driver.get(0x70), 0u);
}

TEST_F(MMIOTransport, AcceptsOnlyOfferedFeaturesWithVersion1) {
    EXPECT_EQ(driver.offered_features(), u64{1} << 32 | u64{1} << 28);
    driver.set(0x14, 2);
    EXPECT_EQ(driver.get(0x10), 0u);
    for (const u64 features : {u64{0}, u64{1} << 28, u64{1} << 32 | 1, u64{1} << 33}) {
        driver.set(0x70, 0);
        driver.accept_features(features);
        driver.set(0x70, 3);
        driver.set(0x70, 11);
        EXPECT_EQ(driver.get(0x70), 3u) << features;
        driver.set(0x70, 7);
        EXPECT_EQ(driver.get(0x70), 3u) << "no DRIVER_OK without FEATURES_OK";
    }
    driver.start();
    EXPECT_EQ(driver.get(0x70), 15u);
}

TEST_F(MMIOTransport, ServesAndInterrupts) {
    driver.start();
    EXPECT_EQ(driver.send({{kBuffer, 8, kWritable}}), 8u);
    EXPECT_EQ(driver.memory.at<u64>(kBuffer), 1u);
    EXPECT_TRUE(driver.line.level);
    EXPECT_EQ(driver.get(0x60), 1u);
    driver.set(0x64, 1);
    EXPECT_FALSE(driver.line.level);
    EXPECT_EQ(driver.get(0x60), 0u);
}

TEST_F(MMIOTransport, HonoursNoInterrupt) {
    driver.start();
    driver.memory.put(FakeDriver::kRings + FakeDriver::kAvailable, u16{1});
    driver.send({{kBuffer, 8, kWritable}});
    EXPECT_FALSE(driver.line.level);
}

TEST_F(MMIOTransport, RunsAroundTheRings) {
    driver.start();
    for (u64 i = 1; i <= 100; ++i) {
        EXPECT_EQ(driver.send({{kBuffer, 8, kWritable}}), 8u);
        EXPECT_EQ(driver.memory.at<u64>(kBuffer), i);
    }
}

TEST_F(MMIOTransport, FollowsIndirectDescriptors) {
    driver.start();
    constexpr u64 kTable = 0x50000;
    driver.put_descriptor_at(kTable, {kBuffer, 4, kWritable | kChained}, 2);
    driver.put_descriptor_at(kTable + 32, {kBuffer + 100, 4, kWritable}, 0);
    EXPECT_EQ(driver.send({{kTable, 48, kIndirect}}), 8u);
    EXPECT_EQ(driver.memory.at<u32>(kBuffer), 1u);
    EXPECT_EQ(driver.memory.at<u32>(kBuffer + 100), 0u);
}

TEST_F(MMIOTransport, DoesNothingBeforeDriverOK) {
    driver.start();
    driver.set(0x70, 0);
    driver.set_up_queue(0);
    driver.put_descriptor(0, 0, {kBuffer, 8, kWritable}, 0);
    driver.offer(0, 0);
    driver.notify(0);
    EXPECT_EQ(driver.used_index(0), 0u);
    EXPECT_FALSE(driver.line.level);
}

TEST_F(MMIOTransport, IgnoresNotificationsOfQueuesThatAreNotThere) {
    driver.start();
    driver.notify(1);
    driver.notify(~0u);
    EXPECT_FALSE(driver.needs_reset());
}

TEST_F(MMIOTransport, RefusesBadQueues) {
    for (const u32 size : {0u, 3u, 128u, ~0u}) {
        driver.set(0x70, 0);
        driver.set_up_queue(0, size);
        EXPECT_EQ(driver.get(0x44), 0u) << size;
        EXPECT_TRUE(driver.needs_reset()) << size;
        EXPECT_FALSE(driver.line.level) << "not before DRIVER_OK";
    }
    driver.set(0x70, 0);
    driver.set(0x80, 8);  // The descriptor table has to be aligned to 16 bytes.
    driver.set(0x44, 1);
    EXPECT_TRUE(driver.needs_reset());
}

TEST_F(MMIOTransport, KeepsTheLayoutOfAReadyQueue) {
    driver.start();
    driver.set(0x38, 3);
    driver.set(0x80, 0x123456);
    EXPECT_EQ(driver.send({{kBuffer, 8, kWritable}}), 8u);
    driver.set(0x44, 0);
    EXPECT_EQ(driver.get(0x44), 0u);
}

TEST_F(MMIOTransport, ContinuesFromASavedState) {
    driver.start();
    driver.send({{kBuffer, 8, kWritable}});
    FakeDriver other{std::make_unique<VirtioEntropy>(entropy)};
    copy_state(driver.transport, other.transport);
    EXPECT_EQ(other.get(0x70), 15u);
    EXPECT_EQ(other.get(0x60), 1u);
    other.memory.bytes = driver.memory.bytes;
    other.put_descriptor(0, 0, {kBuffer, 8, kWritable}, 0);
    other.memory.put(FakeDriver::kRings + FakeDriver::kAvailable + 2, u16{2});
    other.notify(0);
    EXPECT_EQ(other.used_index(0), 2u);
    EXPECT_NE(hash_of(driver.transport), hash_of(other.transport));
}

TEST_F(MMIOTransport, SurvivesACorruptState) {
    driver.start();
    SavingVisitor saving;
    driver.transport.fields(saving);
    std::vector<u8> saved = saving.take();
    for (std::size_t i = 0; i < saved.size(); ++i) {
        std::vector<u8> corrupt = saved;
        corrupt[i] ^= 0xff;
        FakeDriver other{std::make_unique<VirtioEntropy>(entropy)};
        LoadingVisitor loading(corrupt);
        other.transport.fields(loading);
        other.notify(0);
    }
}

// A ring that is broken in some way, and what breaks it.
struct Hostile {
    const char* name;
    void (*set_up)(FakeDriver&);
};

class HostileRing : public testing::TestWithParam<Hostile> {};

TEST_P(HostileRing, NeedsReset) {
    CountingEntropy entropy;
    FakeDriver driver{std::make_unique<VirtioEntropy>(entropy)};
    driver.start();
    GetParam().set_up(driver);
    driver.notify(0);
    EXPECT_TRUE(driver.needs_reset());
    EXPECT_TRUE(driver.line.level);
    EXPECT_TRUE(driver.get(0x60) & 2);
    const u16 used = driver.used_index(0);
    driver.notify(0);
    EXPECT_EQ(driver.used_index(0), used) << "nothing is served until the reset";
    driver.memory.bytes.assign(driver.memory.bytes.size(), 0);
    driver.start();
    EXPECT_FALSE(driver.needs_reset());
    EXPECT_FALSE(driver.line.level);
    EXPECT_EQ(driver.send({{kBuffer, 8, kWritable}}), 8u);
}

void offer_one(FakeDriver& driver, const Buffer& buffer, u16 next = 0) {
    driver.put_descriptor(0, 0, buffer, next);
    driver.offer(0, 0);
}

void offer_table(FakeDriver& driver, u32 size, const Buffer& entry) {
    driver.put_descriptor_at(0x50000, entry, 0);
    offer_one(driver, {0x50000, size, kIndirect});
}

constexpr Hostile kHostile[] = {
    {"Loop",
     [](FakeDriver& d) {
         offer_one(d, {kBuffer, 1, kWritable | kChained}, 0);
     }},
    {"EmptyLoop",
     [](FakeDriver& d) {
         offer_one(d, {kBuffer, 0, kWritable | kChained}, 0);
     }},
    {"NextOutOfRange",
     [](FakeDriver& d) {
         offer_one(d, {kBuffer, 1, kWritable | kChained}, 16);
     }},
    {"HeadOutOfRange", [](FakeDriver& d) { d.offer(0, 16); }},
    {"OutsideRAM",
     [](FakeDriver& d) {
         offer_one(d, {d.memory.bytes.size() - 4, 8, kWritable});
     }},
    {"AddressWraps",
     [](FakeDriver& d) {
         offer_one(d, {~u64{0} - 3, 8, kWritable});
     }},
    {"Huge",
     [](FakeDriver& d) {
         offer_one(d, {kBuffer, ~0u, kWritable});
     }},
    {"ZeroLength",
     [](FakeDriver& d) {
         offer_one(d, {kBuffer, 0, kWritable});
     }},
    {"ReadableAfterWritable",
     [](FakeDriver& d) {
         d.put_descriptor(0, 1, {kBuffer, 8, kReadable}, 0);
         offer_one(d, {kBuffer, 8, kWritable | kChained}, 1);
     }},
    {"OnlyReadable",
     [](FakeDriver& d) {
         offer_one(d, {kBuffer, 8, kReadable});
     }},
    {"TooManyAvailable",
     [](FakeDriver& d) { d.memory.put(FakeDriver::kRings + FakeDriver::kAvailable + 2, u16{17}); }},
    {"IndirectEmpty",
     [](FakeDriver& d) {
         offer_table(d, 0, {kBuffer, 8, kWritable});
     }},
    {"IndirectOddSize",
     [](FakeDriver& d) {
         offer_table(d, 17, {kBuffer, 8, kWritable});
     }},
    {"IndirectInIndirect",
     [](FakeDriver& d) {
         offer_table(d, 16, {0x50000, 16, kIndirect});
     }},
    {"IndirectWithNext",
     [](FakeDriver& d) {
         offer_one(d, {0x50000, 16, kIndirect | kChained}, 1);
     }},
    {"IndirectLoop",
     [](FakeDriver& d) {
         offer_table(d, 0xfffffff0, {kBuffer, 1, kWritable | kChained});
     }},
    {"IndirectOutsideRAM",
     [](FakeDriver& d) {
         offer_one(d, {~u64{0xf}, 32, kIndirect});
     }},
};

INSTANTIATE_TEST_SUITE_P(AllKinds, HostileRing, testing::ValuesIn(kHostile),
                         [](const auto& test) { return std::string(test.param.name); });

// A request whose buffer is the available ring's index must not keep the device busy for ever.
TEST_F(MMIOTransport, EndsWhenARequestOverwritesTheRing) {
    driver.start();
    entropy.word = 0x0005'0005'0004;
    driver.put_descriptor(0, 0, {FakeDriver::kRings + FakeDriver::kAvailable, 4, kWritable}, 0);
    driver.offer(0, 0);
    driver.notify(0);
    EXPECT_EQ(driver.used_index(0), 1u);
}

TEST_F(MMIOTransport, NeedsResetWhenTheRingsAreOutsideRAM) {
    for (const u64 ring : {0x90, 0xa0}) {
        driver.start();
        driver.set(0x44, 0);
        driver.set(ring, ~0xfu);
        driver.set(ring + 4, ~0u);
        driver.set(0x44, 1);
        driver.put_descriptor(0, 0, {kBuffer, 8, kWritable}, 0);
        driver.offer(0, 0);
        driver.notify(0);
        EXPECT_TRUE(driver.needs_reset());
    }
}

}  // namespace
}  // namespace uchronia::devices
