#include "devices/virtio/block.h"

#include <gtest/gtest.h>

#include "devices/virtio/testing.h"

namespace uchronia::devices {
namespace {

constexpr u64 kHeader = 0x40000;
constexpr u64 kData = 0x41000;
constexpr u64 kStatus = 0x40100;

// Byte i of sector s is s; sector kBadSector cannot be read.
class PatternImage final : public host::BlockImage {
  public:
    static constexpr u64 kBadSector = 16;

    u64 sector_count() const override { return 21; }
    bool read(u64 sector, std::span<u8> bytes) override {
        EXPECT_LE(sector * host::kSectorSize + bytes.size(), sector_count() * host::kSectorSize);
        for (u64 i = 0; i < bytes.size(); ++i) {
            const u64 at = sector + i / host::kSectorSize;
            if (at == kBadSector)
                return false;
            bytes[i] = static_cast<u8>(at);
        }
        return true;
    }
};

class BlockDriver : public FakeDriver {
  public:
    explicit BlockDriver(VirtioBlock::Access access = VirtioBlock::Access::kReadWrite)
        : FakeDriver(std::make_unique<VirtioBlock>(std::make_unique<PatternImage>(), access,
                                                   "uchronia-disk")) {
        start();
    }
    // Returns the status byte.
    u8 request(u32 type, u64 sector, u32 size, u16 direction) {
        memory.put(kHeader, type);
        memory.put(kHeader + 4, u32{0});
        memory.put(kHeader + 8, sector);
        memory.put(kStatus, u8{0xff});
        used = send({{kHeader, 16, kReadable}, {kData, size, direction}, {kStatus, 1, kWritable}});
        return memory.at<u8>(kStatus);
    }
    u8 read(u64 sector, u32 size) { return request(0, sector, size, kWritable); }
    u8 write(u64 sector, u32 size) { return request(1, sector, size, kReadable); }
    void fill(u8 byte, u64 size) {
        for (u64 i = 0; i < size; ++i)
            memory.put(kData + i, byte);
    }
    u32 used = 0;
};

TEST(Block, DescribesItself) {
    BlockDriver driver;
    EXPECT_EQ(driver.get(0x100), 21u);
    EXPECT_EQ(driver.get(0x104), 0u);
    EXPECT_EQ(driver.get(0x108), 65536u);
    EXPECT_EQ(driver.get(0x10c), 126u);
    EXPECT_FALSE(driver.offered_features() & 32);
    EXPECT_TRUE(BlockDriver(VirtioBlock::Access::kReadOnly).offered_features() & 32);
}

TEST(Block, ReadsTheImage) {
    BlockDriver driver;
    EXPECT_EQ(driver.read(6, 4 * 512), 0);
    EXPECT_EQ(driver.used, 4u * 512 + 1);
    for (u64 i = 0; i < 4; ++i)
        EXPECT_EQ(driver.memory.at<u8>(kData + i * 512 + 511), 6 + i);
}

TEST(Block, ReadsWhatWasWritten) {
    BlockDriver driver;
    driver.fill(0xaa, 1024);
    EXPECT_EQ(driver.write(7, 1024), 0);
    EXPECT_EQ(driver.used, 1u);
    EXPECT_EQ(driver.read(5, 6 * 512), 0);
    const std::vector<u8> expected = {5, 6, 0xaa, 0xaa, 9, 10};
    for (u64 i = 0; i < expected.size(); ++i)
        EXPECT_EQ(driver.memory.at<u8>(kData + i * 512), expected[i]) << i;
    EXPECT_EQ(driver.request(4, 0, 0, kReadable), 0) << "flush";
}

TEST(Block, WritesTheLastPartOfABlock) {
    BlockDriver driver;
    driver.fill(0xbb, 512);
    EXPECT_EQ(driver.write(0, 512), 0);
    EXPECT_EQ(driver.write(20, 512), 1) << "sector 16 of the same block cannot be read";
    EXPECT_EQ(driver.read(20, 512), 0);
    EXPECT_EQ(driver.memory.at<u8>(kData), 20);
}

TEST(Block, RefusesWhatIsNotOnTheDisk) {
    BlockDriver driver;
    EXPECT_EQ(driver.read(21, 512), 1);
    EXPECT_EQ(driver.read(20, 1024), 1);
    EXPECT_EQ(driver.read(~u64{0}, 1024), 1);
    EXPECT_EQ(driver.write(u64{1} << 55, 512), 1);
    EXPECT_EQ(driver.read(0, 100), 1) << "not whole sectors";
    EXPECT_EQ(driver.read(PatternImage::kBadSector, 512), 1) << "a host error";
    EXPECT_EQ(driver.request(11, 0, 512, kReadable), 2) << "discard is not offered";
}

TEST(Block, RefusesWritesToAReadOnlyDisk) {
    BlockDriver driver(VirtioBlock::Access::kReadOnly);
    EXPECT_EQ(driver.write(0, 512), 1);
}

TEST(Block, TellsItsSerialNumber) {
    BlockDriver driver;
    EXPECT_EQ(driver.request(8, 0, 20, kWritable), 0);
    EXPECT_EQ(driver.memory.at<u8>(kData), 'u');
    EXPECT_EQ(driver.memory.at<u8>(kData + 13), 0);
    EXPECT_EQ(driver.request(8, 0, 4, kWritable), 0) << "a short buffer";
}

TEST(Block, RejectsMangledRequests) {
    BlockDriver driver;
    driver.memory.put(kStatus, u8{0xff});
    driver.send({{kHeader, 15, kReadable}, {kStatus, 1, kWritable}});
    EXPECT_EQ(driver.memory.at<u8>(kStatus), 1) << "a short header";
    driver.put_descriptor(0, 0, {kHeader, 16, kReadable}, 0);
    driver.offer(0, 0);
    driver.notify(0);
    EXPECT_TRUE(driver.needs_reset()) << "no room for the status";
}

TEST(Block, KeepsWrittenBlocksInItsState) {
    BlockDriver driver;
    driver.fill(0xcc, 512);
    driver.write(3, 512);
    driver.write(12, 512);
    BlockDriver other;
    const Digest fresh = hash_of(other.transport);
    driver.fill(0xdd, 512);
    // A block that is not in the loaded state goes; one that is in both is replaced.
    other.fill(0xdd, 512);
    other.write(3, 512);
    copy_state(driver.transport, other.transport);
    EXPECT_NE(hash_of(other.transport), fresh);
    other.memory.bytes = driver.memory.bytes;
    BlockDriver third;
    copy_state(third.transport, other.transport);
    EXPECT_EQ(hash_of(other.transport), fresh);
}

TEST(CopyOnWriteDisk, SavesAndLoadsItsBlocks) {
    CopyOnWriteDisk disk(std::make_unique<PatternImage>());
    CopyOnWriteDisk other(std::make_unique<PatternImage>());
    const std::vector<u8> ones(512, 1), twos(512, 2);
    std::vector<u8> read(512);
    EXPECT_TRUE(disk.write(9, ones));
    EXPECT_TRUE(other.write(1, twos));
    EXPECT_TRUE(other.write(9, twos));
    copy_state(disk, other);
    EXPECT_TRUE(other.read(1, read));
    EXPECT_EQ(read[0], 1) << "the image's";
    EXPECT_TRUE(other.read(9, read));
    EXPECT_EQ(read, ones);
    EXPECT_TRUE(other.read(10, read));
    EXPECT_EQ(read[0], 10);
}

}  // namespace
}  // namespace uchronia::devices
