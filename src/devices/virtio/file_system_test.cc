#include "devices/virtio/file_system.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "devices/virtio/testing.h"
#include "host/file_tree.h"

namespace uchronia::devices {
namespace {

constexpr u64 kRequest = 0x40000;
constexpr u64 kReply = 0x50000;

// A driver of a file system device over a folder of the host with one file in it.
class FileSystem : public testing::Test {
  protected:
    FileSystem() {
        std::string pattern =
            std::filesystem::canonical(testing::TempDir()).string() + "/virtio_fs_XXXXXX";
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        root = pattern;
        std::ofstream(root + "/file") << std::string(100'000, 'u');
        tree = std::move(*host::FileTree::create({.exports = {root}}));
        driver = std::make_unique<FakeDriver>(std::make_unique<VirtioFileSystem>(*tree, "host"));
        driver->start(2);
        fuse_init_in init{};
        init.major = 7;
        init.minor = 37;
        call(FUSE_INIT, 0, &init, sizeof init);
    }
    ~FileSystem() override { std::filesystem::remove_all(root); }

    // Sends a request whose reply goes into two buffers; returns the errno.
    int call(u32 opcode, u64 node, const void* arguments, u64 size, u32 queue = 1) {
        fuse_in_header header{};
        header.len = static_cast<u32>(sizeof header + size);
        header.opcode = opcode;
        header.unique = 42;
        header.nodeid = node;
        driver->memory.put(kRequest, header);
        EXPECT_TRUE(driver->memory.write(PhysicalAddress(kRequest + sizeof header),
                                         {static_cast<const u8*>(arguments), size}));
        used = driver->send({{kRequest, header.len, kReadable},
                             {kReply, sizeof(fuse_out_header), kWritable},
                             {kReply + 0x100, 0x100000, kWritable}},
                            queue);
        const auto reply = driver->memory.at<fuse_out_header>(kReply);
        EXPECT_EQ(used, reply.len);
        return -reply.error;
    }
    u64 look_up(u64 parent, const std::string& name) {
        EXPECT_EQ(call(FUSE_LOOKUP, parent, name.c_str(), name.size() + 1), 0);
        return driver->memory.at<fuse_entry_out>(kReply + 0x100).nodeid;
    }

    std::string root;
    std::unique_ptr<host::FileTree> tree;
    std::unique_ptr<FakeDriver> driver;
    u32 used = 0;
};

TEST_F(FileSystem, DescribesItself) {
    EXPECT_EQ(driver->get(0x08), 26u);
    EXPECT_EQ(driver->get(0x100), 0x74736f68u);  // "host"
    EXPECT_EQ(driver->get(0x104), 0u);
    EXPECT_EQ(driver->get(0x124), 1u);
    driver->set(0x30, 1);
    EXPECT_EQ(driver->get(0x34), 1024u);
    driver->set(0x30, 2);
    EXPECT_EQ(driver->get(0x34), 0u);
}

TEST_F(FileSystem, ServesTheFilesOfTheHost) {
    u64 node = 1;
    std::string rest = root.substr(1) + "/file";
    while (!rest.empty()) {
        const std::string name = rest.substr(0, rest.find('/'));
        node = look_up(node, name);
        ASSERT_NE(node, 0u) << name;
        rest.erase(0, name.size() + 1);
    }
    fuse_read_in range{};
    range.size = 1 << 20;
    EXPECT_EQ(call(FUSE_READ, node, &range, sizeof range), 0);
    EXPECT_EQ(used, sizeof(fuse_out_header) + 100'000);
    EXPECT_EQ(driver->memory.at<u8>(kReply + 0x100), 'u');
    EXPECT_EQ(driver->memory.at<u8>(kReply + 0x100 + 99'999), 'u');
}

TEST_F(FileSystem, GoesOnAfterALoad) {
    const std::string first = root.substr(1, root.find('/', 1) - 1);
    EXPECT_EQ(look_up(1, first), 2u);
    FakeDriver other(std::make_unique<VirtioFileSystem>(*tree, "host"));
    copy_state(driver->transport, other.transport);
    EXPECT_EQ(other.get(0x70), 15u);
    driver->set(0x70, 0);
    EXPECT_NE(hash_of(driver->transport), hash_of(other.transport));
}

TEST_F(FileSystem, UsesForgetsWithoutAReply) {
    driver->memory.put(kRequest, fuse_in_header{.len = 48,
                                                .opcode = FUSE_FORGET,
                                                .unique = 1,
                                                .nodeid = 1,
                                                .uid = 0,
                                                .gid = 0,
                                                .pid = 0,
                                                .total_extlen = 0,
                                                .padding = 0});
    EXPECT_EQ(driver->send({{kRequest, 48, kReadable}}, 0), 0u);
}

TEST_F(FileSystem, SurvivesShortChains) {
    EXPECT_EQ(driver->send({{kRequest, 8, kReadable}, {kReply, 64, kWritable}}, 1), 0u);
    EXPECT_EQ(driver->send({{kReply, 64, kWritable}}, 1), 0u);
    EXPECT_FALSE(driver->needs_reset());
    driver->put_descriptor(1, 0, {~u64{0xfff}, 40, kReadable}, 0);
    driver->offer(1, 0);
    driver->notify(1);
    EXPECT_TRUE(driver->needs_reset());
}

}  // namespace
}  // namespace uchronia::devices
