// FUSE READDIR and READDIRPLUS. The offset of an entry is its index: ".", "..", the sorted listing.
#include <algorithm>
#include <cerrno>

#include "devices/virtio/fuse_message.h"
#include "devices/virtio/fuse_server.h"

namespace uchronia::devices {
namespace {

constexpr u64 kDotEntries = 2;

// The S_IFMT bits as a dirent has them (readdir(3), DT_DIR and others).
u32 entry_type(u32 mode) {
    return (mode & S_IFMT) >> 12;
}

}  // namespace

int FUSEServer::list_names(const Request& request, std::vector<u8>& reply) {
    return list(request, reply, Detail::kNames);
}

int FUSEServer::list_in_full(const Request& request, std::vector<u8>& reply) {
    return list(request, reply, Detail::kAttributes);
}

int FUSEServer::list(const Request& request, std::vector<u8>& reply, Detail detail) {
    const u64 directory = request.header.nodeid;
    if (!nodes_.contains(directory))
        return ENOENT;
    const std::string path = nodes_.path_of(directory);
    const auto listing = source_.list(path);
    if (!listing.ok())
        return listing.error();
    const auto wanted = fuse::argument<fuse_read_in>(request.arguments);
    const u64 limit =
        fuse::kHeaderSize + std::min({u64{wanted.size}, request.capacity, u64{fuse::kMaximumRead}});
    const u64 head_size = detail == Detail::kNames ? sizeof(fuse_dirent) : sizeof(fuse_direntplus);
    const u64 count = kDotEntries + (*listing)->size();
    for (u64 i = wanted.offset; i < count; ++i) {
        const bool is_dot = i < kDotEntries;
        const std::string name =
            is_dot ? std::string(i + 1, '.') : (**listing)[i - kDotEntries].name;
        if (reply.size() + FUSE_DIRENT_ALIGN(head_size + name.size()) > limit)
            break;
        fuse_dirent entry{};
        entry.off = i + 1;
        entry.namelen = static_cast<u32>(name.size());
        // A node of 0 tells the kernel that there are no attributes with this entry.
        fuse_entry_out attributes{};
        if (is_dot) {
            entry.ino = i == 0 ? directory : nodes_.parent_of(directory);
            entry.type = entry_type(S_IFDIR);
        } else {
            entry.ino = nodes_.number_of(directory, name);
            entry.type = entry_type((**listing)[i - kDotEntries].type);
            if (detail == Detail::kAttributes) {
                const auto found = source_.attributes(nodes_.path_of(entry.ino));
                if (found.ok())
                    attributes = entry_of(entry.ino, *found);
            }
        }
        append_entry(reply, entry, name, detail == Detail::kAttributes ? &attributes : nullptr);
    }
    return 0;
}

void FUSEServer::append_entry(std::vector<u8>& reply, const fuse_dirent& entry,
                              const std::string& name, const fuse_entry_out* attributes) {
    if (attributes)
        fuse::append(reply, *attributes);
    fuse::append_bytes(reply, &entry, FUSE_NAME_OFFSET);
    fuse::append_bytes(reply, name.data(), name.size());
    // The header before the entries has a multiple of eight bytes, as has each entry.
    reply.resize(FUSE_DIRENT_ALIGN(reply.size()));
}

}  // namespace uchronia::devices
