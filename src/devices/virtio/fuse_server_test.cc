#include "devices/virtio/fuse_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "devices/state_testing.h"
#include "devices/virtio/fuse_message.h"

namespace uchronia::devices {
namespace {

// /, /dir, /dir/file ("contents"), /dir/link -> file, /dir/device, /dir/broken (EIO).
class FakeSource final : public host::FileSource {
  public:
    host::FileResult<host::FileAttributes> attributes(const std::string& path) override {
        asked.push_back(path);
        if (path == "/dir/broken")
            return host::FileError{EIO};
        static const std::map<std::string, host::FileAttributes> kFiles = {
            {"/", {.mode = S_IFDIR | 0755, .size = 4096}},
            {"/dir", {.mode = S_IFDIR | 0700, .uid = 5, .gid = 6, .size = 4096}},
            {"/dir/file",
             {.mode = S_IFREG | 04644,
              .size = 8,
              .modified_seconds = 99,
              .modified_nanoseconds = 7}},
            {"/dir/link", {.mode = S_IFLNK | 0777, .size = 4}},
            {"/dir/device", {.mode = S_IFCHR | 0600}},
        };
        const auto found = kFiles.find(path);
        if (found == kFiles.end())
            return host::FileError{ENOENT};
        return found->second;
    }
    host::FileResult<std::shared_ptr<const host::DirectoryListing>> list(
        const std::string& path) override {
        if (path != "/dir")
            return host::FileError{ENOTDIR};
        return std::make_shared<const host::DirectoryListing>(host::DirectoryListing{
            {"broken", S_IFREG}, {"device", S_IFCHR}, {"file", S_IFREG}, {"link", S_IFLNK}});
    }
    host::FileResult<u64> read(const std::string& path, u64 offset, std::span<u8> bytes) override {
        if (path != "/dir/file")
            return host::FileError{EISDIR};
        const std::string content = "contents";
        const u64 start = std::min<u64>(offset, content.size());
        const u64 count = std::min<u64>(bytes.size(), content.size() - start);
        std::copy_n(content.data() + start, count, bytes.begin());
        return count;
    }
    host::FileResult<std::string> read_link(const std::string& path) override {
        if (path != "/dir/link")
            return host::FileError{EINVAL};
        return std::string("file");
    }
    std::vector<std::string> asked;
};

struct Reply {
    int error = -1;
    u64 size = 0;
    std::vector<u8> payload;

    template <class T>
    T as() const {
        return fuse::argument<T>(payload);
    }
};

class FUSE : public testing::Test {
  protected:
    static constexpr u64 kCapacity = 8192;

    std::vector<u8> message(u32 opcode, u64 node, std::span<const u8> arguments) {
        fuse_in_header header{};
        header.len = static_cast<u32>(sizeof header + arguments.size());
        header.opcode = opcode;
        header.unique = ++unique;
        header.nodeid = node;
        std::vector<u8> bytes;
        fuse::append(bytes, header);
        bytes.insert(bytes.end(), arguments.begin(), arguments.end());
        return bytes;
    }
    Reply send(const std::vector<u8>& bytes, u64 capacity = kCapacity) {
        const std::vector<u8> reply = current->handle(bytes, bytes.size(), capacity);
        Reply result;
        result.size = reply.size();
        if (reply.empty())
            return result;
        const auto header = fuse::argument<fuse_out_header>(reply);
        EXPECT_LE(reply.size(), capacity);
        EXPECT_EQ(header.len, reply.size());
        EXPECT_EQ(header.unique, unique);
        EXPECT_LE(header.error, 0);
        result.error = -header.error;
        result.payload.assign(reply.begin() + sizeof header, reply.end());
        return result;
    }
    template <class T>
    Reply call(u32 opcode, u64 node, const T& arguments, u64 capacity = kCapacity) {
        std::vector<u8> bytes;
        fuse::append(bytes, arguments);
        return send(message(opcode, node, bytes), capacity);
    }
    Reply call(u32 opcode, u64 node) { return send(message(opcode, node, {})); }
    Reply named(u32 opcode, u64 node, const std::string& name) {
        std::vector<u8> bytes(name.begin(), name.end());
        bytes.push_back(0);
        return send(message(opcode, node, bytes));
    }
    u64 look_up(u64 parent, const std::string& name) {
        const Reply reply = named(FUSE_LOOKUP, parent, name);
        EXPECT_EQ(reply.error, 0);
        return reply.as<fuse_entry_out>().nodeid;
    }
    fuse_read_in range(u64 offset, u32 size) {
        fuse_read_in arguments{};
        arguments.offset = offset;
        arguments.size = size;
        return arguments;
    }
    Reply init(u32 major = 7, u32 minor = 37, u32 flags = ~0u) {
        fuse_init_in arguments{};
        arguments.major = major;
        arguments.minor = minor;
        arguments.flags = flags;
        arguments.max_readahead = 128 << 10;
        return call(FUSE_INIT, 0, arguments);
    }

    FakeSource source;
    FUSEServer server{source};
    FUSEServer* current = &server;  // Which one send() asks.
    u64 unique = 100;
};

TEST_F(FUSE, Negotiates) {
    EXPECT_EQ(call(FUSE_STATFS, 1).error, EIO) << "before INIT";
    EXPECT_EQ(init(6, 40).error, EPROTO);
    EXPECT_EQ(init(7, 30).error, EPROTO);
    const Reply newer = init(8, 0);
    EXPECT_EQ(newer.error, 0);
    EXPECT_EQ(newer.as<fuse_init_out>().major, 7u);
    EXPECT_EQ(call(FUSE_STATFS, 1).error, EIO) << "INIT is to come again";
    const auto answer = init().as<fuse_init_out>();
    EXPECT_EQ(answer.minor, 36u);
    EXPECT_EQ(answer.flags, fuse::kWantedFeatures);
    EXPECT_EQ(answer.max_pages, 256u);
    EXPECT_EQ(answer.max_readahead, 128u << 10);
    EXPECT_EQ(call(FUSE_STATFS, 1).error, 0);
    EXPECT_EQ(call(FUSE_DESTROY, 1).error, 0);
    EXPECT_EQ(call(FUSE_STATFS, 1).error, EIO);
}

TEST_F(FUSE, NumbersFilesInTheOrderOfMeeting) {
    init();
    EXPECT_EQ(look_up(1, "dir"), 2u);
    EXPECT_EQ(look_up(2, "link"), 3u);
    EXPECT_EQ(look_up(2, "file"), 4u);
    EXPECT_EQ(look_up(2, "link"), 3u);
    EXPECT_EQ(source.asked.back(), "/dir/link");
    std::vector<u8> forget;
    fuse::append(forget, fuse_forget_in{.nlookup = ~u64{0}});
    EXPECT_EQ(send(message(FUSE_FORGET, 3, forget)).size, 0u) << "has no reply";
    EXPECT_EQ(send(message(FUSE_BATCH_FORGET, 0, forget)).size, 0u);
    EXPECT_EQ(send(message(FUSE_INTERRUPT, 0, {})).size, 0u);
    EXPECT_EQ(look_up(2, "link"), 3u);
}

TEST_F(FUSE, GivesAttributesOfItsOwnMaking) {
    init();
    look_up(1, "dir");
    const auto entry = named(FUSE_LOOKUP, 2, "file").as<fuse_entry_out>();
    EXPECT_EQ(entry.entry_valid, fuse::kValidSeconds);
    EXPECT_EQ(entry.attr_valid, fuse::kValidSeconds);
    const auto answer = call(FUSE_GETATTR, entry.nodeid, fuse_getattr_in{}).as<fuse_attr_out>();
    EXPECT_EQ(answer.attr_valid, fuse::kValidSeconds);
    EXPECT_EQ(std::memcmp(&answer.attr, &entry.attr, sizeof entry.attr), 0);
    EXPECT_EQ(answer.attr.ino, entry.nodeid);
    EXPECT_EQ(answer.attr.mode, u32{S_IFREG | 04644});
    EXPECT_EQ(answer.attr.nlink, 1u);
    EXPECT_EQ(answer.attr.size, 8u);
    EXPECT_EQ(answer.attr.blocks, 8u);
    EXPECT_EQ(answer.attr.atime, 99u);
    EXPECT_EQ(answer.attr.ctimensec, 7u);
    EXPECT_EQ(call(FUSE_GETATTR, 2, fuse_getattr_in{}).as<fuse_attr_out>().attr.nlink, 2u);
}

TEST_F(FUSE, LetsAbsenceBeCached) {
    init();
    const Reply reply = named(FUSE_LOOKUP, 1, "nothing");
    EXPECT_EQ(reply.error, 0);
    EXPECT_EQ(reply.as<fuse_entry_out>().nodeid, 0u);
    EXPECT_EQ(reply.as<fuse_entry_out>().entry_valid, fuse::kValidSeconds);
    EXPECT_EQ(look_up(1, "dir"), 2u) << "it has used no number";
    EXPECT_EQ(named(FUSE_LOOKUP, 2, "broken").error, EIO);
}

TEST_F(FUSE, LooksUpOnlyNames) {
    init();
    look_up(1, "dir");
    source.asked.clear();
    for (const char* name : {"", ".", "..", "../dir", "a/b", "/dir"})
        EXPECT_EQ(named(FUSE_LOOKUP, 2, name).error, EINVAL) << name;
    EXPECT_EQ(named(FUSE_LOOKUP, 2, std::string(256, 'x')).error, ENAMETOOLONG);
    const std::vector<u8> unended = {'d', 'i', 'r'};
    EXPECT_EQ(send(message(FUSE_LOOKUP, 1, unended)).error, EINVAL);
    EXPECT_TRUE(source.asked.empty());
    EXPECT_EQ(named(FUSE_LOOKUP, 3, "dir").error, ENOENT) << "no such node";
    EXPECT_EQ(named(FUSE_LOOKUP, 0, "dir").error, ENOENT);
    EXPECT_EQ(named(FUSE_LOOKUP, ~u64{0}, "dir").error, ENOENT);
}

TEST_F(FUSE, Reads) {
    init();
    look_up(1, "dir");
    const u64 file = look_up(2, "file");
    const u64 link = look_up(2, "link");
    const auto text = [](const Reply& reply) {
        return std::string(reply.payload.begin(), reply.payload.end());
    };
    EXPECT_EQ(text(call(FUSE_READ, file, range(0, 4096))), "contents");
    EXPECT_EQ(text(call(FUSE_READ, file, range(3, 2))), "te");
    EXPECT_EQ(text(call(FUSE_READ, file, range(8, 100))), "");
    EXPECT_EQ(text(call(FUSE_READ, file, range(~u64{0}, ~0u))), "");
    EXPECT_EQ(text(call(FUSE_READ, file, range(0, ~0u), 20)), "cont") << "as much as has room";
    EXPECT_EQ(call(FUSE_READ, 2, range(0, 100)).error, EISDIR);
    EXPECT_EQ(text(call(FUSE_READLINK, link)), "file");
    EXPECT_EQ(call(FUSE_READLINK, file).error, EINVAL);
}

TEST_F(FUSE, OpensWithoutHandles) {
    init();
    look_up(1, "dir");
    const u64 file = look_up(2, "file");
    EXPECT_EQ(call(FUSE_OPEN, file, fuse_open_in{}).error, ENOSYS) << "zero-message open";
    EXPECT_EQ(call(FUSE_OPENDIR, 2, fuse_open_in{}).error, ENOSYS);
    init(7, 37, 0);
    const Reply opened = call(FUSE_OPEN, file, fuse_open_in{});
    EXPECT_EQ(opened.error, 0);
    EXPECT_EQ(opened.as<fuse_open_out>().open_flags, u32{FOPEN_KEEP_CACHE});
    fuse_open_in writing{};
    writing.flags = O_RDWR;
    EXPECT_EQ(call(FUSE_OPEN, file, writing).error, EROFS);
    EXPECT_EQ(call(FUSE_OPENDIR, 2, fuse_open_in{}).as<fuse_open_out>().open_flags,
              u32{FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR});
    EXPECT_EQ(call(FUSE_RELEASE, file).error, 0);
    EXPECT_EQ(call(FUSE_RELEASEDIR, 2).error, 0);
}

TEST_F(FUSE, RefusesChanges) {
    init();
    for (const u32 opcode :
         {FUSE_SETATTR, FUSE_SYMLINK, FUSE_MKNOD, FUSE_MKDIR, FUSE_UNLINK, FUSE_RMDIR, FUSE_RENAME,
          FUSE_LINK, FUSE_WRITE, FUSE_SETXATTR, FUSE_REMOVEXATTR, FUSE_CREATE, FUSE_FALLOCATE,
          FUSE_RENAME2, FUSE_COPY_FILE_RANGE})
        EXPECT_EQ(call(opcode, 1).error, EROFS) << opcode;
    for (const u32 opcode : {u32{FUSE_GETXATTR}, u32{FUSE_LISTXATTR}, u32{FUSE_FLUSH},
                             u32{FUSE_FSYNC}, u32{FUSE_IOCTL}, u32{FUSE_POLL}, 0u, 999u, ~0u})
        EXPECT_EQ(call(opcode, 1).error, ENOSYS) << opcode;
    EXPECT_EQ(call(FUSE_ACCESS, 1, fuse_access_in{.mask = R_OK, .padding = 0}).error, 0);
    EXPECT_EQ(call(FUSE_ACCESS, 1, fuse_access_in{.mask = W_OK, .padding = 0}).error, EROFS);
}

TEST_F(FUSE, SeeksInFilesWithoutHoles) {
    init();
    look_up(1, "dir");
    const u64 file = look_up(2, "file");
    const auto seek = [&](u64 offset, u32 whence) {
        fuse_lseek_in arguments{};
        arguments.offset = offset;
        arguments.whence = whence;
        return call(FUSE_LSEEK, file, arguments);
    };
    EXPECT_EQ(seek(3, SEEK_DATA).as<fuse_lseek_out>().offset, 3u);
    EXPECT_EQ(seek(3, SEEK_HOLE).as<fuse_lseek_out>().offset, 8u);
    EXPECT_EQ(seek(8, SEEK_DATA).error, ENXIO);
    EXPECT_EQ(seek(0, SEEK_SET).error, EINVAL);
}

struct Entry {
    std::string name;
    u64 ino;
    u64 next;
    u32 type;
    u64 node;
    bool operator==(const Entry&) const = default;
};

std::vector<Entry> entries_of(const Reply& reply, bool plus) {
    std::vector<Entry> result;
    u64 at = 0;
    while (at < reply.payload.size()) {
        const std::span<const u8> rest = std::span(reply.payload).subspan(at);
        const u64 head = plus ? sizeof(fuse_entry_out) : 0;
        const auto dirent = fuse::argument<fuse_dirent>(rest.subspan(head));
        const auto* name = reinterpret_cast<const char*>(rest.data()) + head + FUSE_NAME_OFFSET;
        result.push_back({std::string(name, dirent.namelen), dirent.ino, dirent.off, dirent.type,
                          plus ? fuse::argument<fuse_entry_out>(rest).nodeid : 0});
        at += FUSE_DIRENT_ALIGN(head + FUSE_NAME_OFFSET + dirent.namelen);
    }
    EXPECT_EQ(at, reply.payload.size());
    return result;
}

TEST_F(FUSE, ListsDirectories) {
    init();
    look_up(1, "dir");
    look_up(2, "file");
    const std::vector<Entry> names = entries_of(call(FUSE_READDIR, 2, range(0, 4096)), false);
    const std::vector<Entry> expected = {{".", 2, 1, 4, 0},      {"..", 1, 2, 4, 0},
                                         {"broken", 4, 3, 8, 0}, {"device", 5, 4, 2, 0},
                                         {"file", 3, 5, 8, 0},   {"link", 6, 6, 10, 0}};
    EXPECT_EQ(names, expected);
    std::vector<Entry> with_nodes = expected;
    for (Entry& entry : with_nodes)
        entry.node = entry.name[0] == '.' || entry.name == "broken" ? 0 : entry.ino;
    EXPECT_EQ(entries_of(call(FUSE_READDIRPLUS, 2, range(0, 4096)), true), with_nodes);
    EXPECT_EQ(call(FUSE_READDIR, 1, range(0, 4096)).error, ENOTDIR);
    EXPECT_EQ(call(FUSE_READDIR, 77, range(0, 4096)).error, ENOENT);
}

TEST_F(FUSE, ListsDirectoriesInPieces) {
    init();
    look_up(1, "dir");
    std::string all;
    for (u64 offset = 0, round = 0; round < 100; ++round) {
        const Reply reply = call(FUSE_READDIR, 2, range(offset, 70));
        EXPECT_LE(reply.payload.size(), 70u);
        if (reply.payload.empty())
            break;
        for (const Entry& entry : entries_of(reply, false)) {
            all += entry.name + " ";
            offset = entry.next;
        }
    }
    EXPECT_EQ(all, ". .. broken device file link ");
    EXPECT_TRUE(call(FUSE_READDIR, 2, range(~u64{0}, 4096)).payload.empty());
    EXPECT_TRUE(call(FUSE_READDIRPLUS, 2, range(0, 10)).payload.empty());
}

TEST_F(FUSE, SurvivesMangledMessages) {
    init();
    look_up(1, "dir");
    for (u32 opcode = 0; opcode < 60; ++opcode) {
        const std::vector<u8> whole = message(opcode, 2, std::vector<u8>(64, 0xff));
        for (u64 size = 0; size <= whole.size(); ++size) {
            for (const u64 capacity : {0, 15, 16, 17, 100, 8192}) {
                std::vector<u8> part(whole.begin(), whole.begin() + static_cast<long>(size));
                send(part, capacity);
                // And with a length that fits.
                if (size >= sizeof(u32))
                    part[0] = static_cast<u8>(size);
                send(part, capacity);
            }
        }
        init();
    }
    std::vector<u8> wrong_length = message(FUSE_STATFS, 1, {});
    wrong_length[0] += 1;
    EXPECT_EQ(send(wrong_length).error, EINVAL);
    EXPECT_EQ(send(std::vector<u8>(39)).size, 0u);
    EXPECT_EQ(call(FUSE_GETATTR, 1).error, EINVAL) << "no arguments";
    EXPECT_EQ(call(FUSE_GETATTR, 1, fuse_getattr_in{}, 20).error, EIO) << "no room";
}

TEST_F(FUSE, ContinuesFromASavedState) {
    init();
    look_up(1, "dir");
    look_up(2, "link");
    FakeSource other_source;
    FUSEServer other(other_source);
    const Digest fresh = hash_of(other);
    copy_state(server, other);
    EXPECT_NE(hash_of(other), fresh);
    current = &other;
    EXPECT_EQ(look_up(2, "link"), 3u);
    EXPECT_EQ(look_up(2, "file"), 4u);
    other.reset();
    EXPECT_EQ(hash_of(other), fresh);
}

}  // namespace
}  // namespace uchronia::devices
