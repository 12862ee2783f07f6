#include "devices/virtio/fuse_server.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "devices/virtio/fuse_message.h"

namespace uchronia::devices {

using fuse::append;
using fuse::append_bytes;
using fuse::argument;

// Sorted by nothing: it is searched from the start, with the frequent ones first.
// clang-format off
const FUSEServer::Operation FUSEServer::kOperations[] = {
    {FUSE_LOOKUP,         2,                       Answer::kReply, &FUSEServer::look_up},
    {FUSE_READ,           sizeof(fuse_read_in),    Answer::kReply, &FUSEServer::read},
    {FUSE_GETATTR,        sizeof(fuse_getattr_in), Answer::kReply, &FUSEServer::get_attributes},
    {FUSE_READDIRPLUS,    sizeof(fuse_read_in),    Answer::kReply, &FUSEServer::list_in_full},
    {FUSE_READDIR,        sizeof(fuse_read_in),    Answer::kReply, &FUSEServer::list_names},
    {FUSE_READLINK,       0,                       Answer::kReply, &FUSEServer::read_link},
    {FUSE_OPEN,           sizeof(fuse_open_in),    Answer::kReply, &FUSEServer::open_file},
    {FUSE_OPENDIR,        sizeof(fuse_open_in),    Answer::kReply, &FUSEServer::open_directory},
    {FUSE_RELEASE,        0,                       Answer::kReply, &FUSEServer::accept},
    {FUSE_RELEASEDIR,     0,                       Answer::kReply, &FUSEServer::accept},
    {FUSE_ACCESS,         sizeof(fuse_access_in),  Answer::kReply, &FUSEServer::access},
    {FUSE_LSEEK,          sizeof(fuse_lseek_in),   Answer::kReply, &FUSEServer::seek},
    {FUSE_STATFS,         0,                       Answer::kReply, &FUSEServer::statistics},
    // Requests are done when they are made, so that none can be interrupted, and the NodeTable
    // forgets nothing.
    {FUSE_FORGET,         0,                       Answer::kNone,  &FUSEServer::accept},
    {FUSE_BATCH_FORGET,   0,                       Answer::kNone,  &FUSEServer::accept},
    {FUSE_INTERRUPT,      0,                       Answer::kNone,  &FUSEServer::accept},
    {FUSE_INIT,           4 * sizeof(u32),         Answer::kReply, &FUSEServer::init},
    {FUSE_DESTROY,        0,                       Answer::kReply, &FUSEServer::destroy},
    // Nothing is ever dirty; with ENOSYS the kernel succeeds and does not ask again.
    {FUSE_FLUSH,          0,                       Answer::kReply, &FUSEServer::not_supported},
    {FUSE_FSYNC,          0,                       Answer::kReply, &FUSEServer::not_supported},
    {FUSE_FSYNCDIR,       0,                       Answer::kReply, &FUSEServer::not_supported},
    // There are no extended attributes: the kernel makes EOPNOTSUPP of it, which overlayfs takes
    // for "none" in a lower layer.
    {FUSE_GETXATTR,       0,                       Answer::kReply, &FUSEServer::not_supported},
    {FUSE_LISTXATTR,      0,                       Answer::kReply, &FUSEServer::not_supported},
    {FUSE_SETATTR,        0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_SYMLINK,        0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_MKNOD,          0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_MKDIR,          0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_UNLINK,         0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_RMDIR,          0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_RENAME,         0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_RENAME2,        0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_LINK,           0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_WRITE,          0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_SETXATTR,       0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_REMOVEXATTR,    0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_CREATE,         0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_FALLOCATE,      0,                       Answer::kReply, &FUSEServer::refuse_change},
    {FUSE_COPY_FILE_RANGE,0,                       Answer::kReply, &FUSEServer::refuse_change},
};
// clang-format on

const FUSEServer::Operation* FUSEServer::operation_of(u32 opcode) {
    const auto* const found =
        std::find_if(std::begin(kOperations), std::end(kOperations),
                     [&](const Operation& operation) { return operation.opcode == opcode; });
    return found == std::end(kOperations) ? nullptr : found;
}

std::vector<u8> FUSEServer::handle(std::span<const u8> message, u64 size, u64 capacity) {
    if (message.size() < sizeof(fuse_in_header))
        return {};
    Request request{.header = argument<fuse_in_header>(message),
                    .arguments = message.subspan(sizeof(fuse_in_header)),
                    .capacity = capacity < fuse::kHeaderSize ? 0 : capacity - fuse::kHeaderSize};
    const Operation* const operation = operation_of(request.header.opcode);
    std::vector<u8> reply(fuse::kHeaderSize);
    int error = 0;
    if (request.header.len != size)
        error = EINVAL;
    else if (!operation)
        error = ENOSYS;
    else if (request.arguments.size() < operation->least_argument_size)
        error = EINVAL;
    else if (!initialised_ && operation->handler != &FUSEServer::init)
        error = EIO;
    else
        error = (this->*operation->handler)(request, reply);
    if ((operation && operation->answer == Answer::kNone) || capacity < fuse::kHeaderSize)
        return {};
    if (error == 0 && reply.size() > capacity)
        error = EIO;
    if (error != 0)
        reply.resize(fuse::kHeaderSize);
    const fuse_out_header header{
        .len = static_cast<u32>(reply.size()), .error = -error, .unique = request.header.unique};
    std::memcpy(reply.data(), &header, sizeof header);
    return reply;
}

void FUSEServer::reset() {
    nodes_.clear();
    features_ = 0;
    initialised_ = 0;
}

void FUSEServer::fields(FieldVisitor& v) {
    v("nodes", nodes_);
    v("features", features_);
    v("initialised", initialised_);
}

int FUSEServer::init(const Request& request, std::vector<u8>& reply) {
    const auto offer = argument<fuse_init_in>(request.arguments);
    fuse_init_out answer{};
    answer.major = fuse::kMajor;
    answer.minor = fuse::kMinor;
    if (offer.major < fuse::kMajor ||
        (offer.major == fuse::kMajor && offer.minor < fuse::kOldestMinor))
        return EPROTO;
    // A newer major version gets our number alone, and asks again in our version.
    if (offer.major == fuse::kMajor) {
        features_ = offer.flags & fuse::kWantedFeatures;
        initialised_ = 1;
        answer.max_readahead = std::min(offer.max_readahead, fuse::kMaximumRead);
        answer.flags = features_;
        // The kernel's usual numbers; they only throttle background requests, which do not pile up.
        answer.max_background = 16;
        answer.congestion_threshold = 12;
        answer.max_write = fuse::kMaximumWrite;
        answer.time_gran = 1;
        answer.max_pages = fuse::kMaximumPages;
    }
    append(reply, answer);
    return 0;
}

int FUSEServer::destroy(const Request&, std::vector<u8>&) {
    reset();
    return 0;
}

fuse_entry_out FUSEServer::entry_of(u64 node, const host::FileAttributes& attributes) const {
    fuse_entry_out entry{};
    entry.nodeid = node;
    entry.entry_valid = entry.attr_valid = fuse::kValidSeconds;
    fuse_attr& attr = entry.attr;
    attr.ino = node;
    attr.size = attributes.size;
    // Whole blocks of 4 KiB, counted in units of 512 bytes.
    attr.blocks = (attributes.size + 4095) / 4096 * 8;
    attr.atime = attr.mtime = attr.ctime = static_cast<u64>(attributes.modified_seconds);
    attr.atimensec = attr.mtimensec = attr.ctimensec = attributes.modified_nanoseconds;
    attr.mode = attributes.mode;
    attr.nlink = attributes.is_directory() ? 2 : 1;
    attr.uid = attributes.uid;
    attr.gid = attributes.gid;
    // Number 0 is no device: the guest sees device files, and opening one is ENXIO.
    attr.rdev = 0;
    attr.blksize = 4096;
    return entry;
}

int FUSEServer::look_up(const Request& request, std::vector<u8>& reply) {
    const u64 parent = request.header.nodeid;
    const std::optional<std::string> name = fuse::name_argument(request.arguments);
    if (!nodes_.contains(parent))
        return ENOENT;
    // The kernel resolves "." and ".." itself.
    if (!name || name->empty() || *name == "." || *name == ".." ||
        name->find('/') != std::string::npos)
        return EINVAL;
    if (name->size() > fuse::kMaximumName)
        return ENAMETOOLONG;
    const std::string directory = nodes_.path_of(parent);
    const host::FileResult<host::FileAttributes> found =
        source_.attributes(directory == "/" ? "/" + *name : directory + "/" + *name);
    if (!found.ok() && found.error() != ENOENT)
        return found.error();
    // Node 0: the name is not there, and the kernel may remember that.
    fuse_entry_out entry{};
    entry.entry_valid = fuse::kValidSeconds;
    if (found.ok())
        entry = entry_of(nodes_.number_of(parent, *name), *found);
    append(reply, entry);
    return 0;
}

int FUSEServer::get_attributes(const Request& request, std::vector<u8>& reply) {
    const u64 node = request.header.nodeid;
    if (!nodes_.contains(node))
        return ENOENT;
    const host::FileResult<host::FileAttributes> found = source_.attributes(nodes_.path_of(node));
    if (!found.ok())
        return found.error();
    fuse_attr_out answer{};
    answer.attr_valid = fuse::kValidSeconds;
    answer.attr = entry_of(node, *found).attr;
    append(reply, answer);
    return 0;
}

int FUSEServer::access(const Request& request, std::vector<u8>&) {
    // Permissions are checked by the guest's kernel (virtio-fs always has default_permissions).
    if (!nodes_.contains(request.header.nodeid))
        return ENOENT;
    return argument<fuse_access_in>(request.arguments).mask & W_OK ? EROFS : 0;
}

int FUSEServer::read_link(const Request& request, std::vector<u8>& reply) {
    if (!nodes_.contains(request.header.nodeid))
        return ENOENT;
    const host::FileResult<std::string> target =
        source_.read_link(nodes_.path_of(request.header.nodeid));
    if (!target.ok())
        return target.error();
    append_bytes(reply, target->data(), target->size());
    return 0;
}

int FUSEServer::open_file(const Request& request, std::vector<u8>& reply) {
    if (features_ & FUSE_NO_OPEN_SUPPORT)
        return ENOSYS;
    if (!nodes_.contains(request.header.nodeid))
        return ENOENT;
    const u32 flags = argument<fuse_open_in>(request.arguments).flags;
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))
        return EROFS;
    fuse_open_out answer{};
    answer.open_flags = FOPEN_KEEP_CACHE;
    append(reply, answer);
    return 0;
}

int FUSEServer::open_directory(const Request& request, std::vector<u8>& reply) {
    if (features_ & FUSE_NO_OPENDIR_SUPPORT)
        return ENOSYS;
    if (!nodes_.contains(request.header.nodeid))
        return ENOENT;
    fuse_open_out answer{};
    answer.open_flags = FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR;
    append(reply, answer);
    return 0;
}

int FUSEServer::read(const Request& request, std::vector<u8>& reply) {
    if (!nodes_.contains(request.header.nodeid))
        return ENOENT;
    const auto wanted = argument<fuse_read_in>(request.arguments);
    const u64 size = std::min({u64{wanted.size}, request.capacity, u64{fuse::kMaximumRead}});
    reply.resize(fuse::kHeaderSize + size);
    const host::FileResult<u64> count =
        source_.read(nodes_.path_of(request.header.nodeid), wanted.offset,
                     std::span(reply).subspan(fuse::kHeaderSize));
    if (!count.ok())
        return count.error();
    reply.resize(fuse::kHeaderSize + *count);
    return 0;
}

// Every file is one run of data: where the host has holes is the host's affair.
int FUSEServer::seek(const Request& request, std::vector<u8>& reply) {
    if (!nodes_.contains(request.header.nodeid))
        return ENOENT;
    const auto wanted = argument<fuse_lseek_in>(request.arguments);
    const host::FileResult<host::FileAttributes> found =
        source_.attributes(nodes_.path_of(request.header.nodeid));
    if (!found.ok())
        return found.error();
    if (wanted.whence != SEEK_DATA && wanted.whence != SEEK_HOLE)
        return EINVAL;
    if (wanted.offset >= found->size)
        return ENXIO;
    append(reply,
           fuse_lseek_out{.offset = wanted.whence == SEEK_DATA ? wanted.offset : found->size});
    return 0;
}

int FUSEServer::statistics(const Request&, std::vector<u8>& reply) {
    fuse_statfs_out answer{};
    // A full disk of 64 GiB: a plausible size, the same on every host.
    answer.st.blocks = u64{1} << 24;
    answer.st.files = u64{1} << 20;
    answer.st.bsize = answer.st.frsize = 4096;
    answer.st.namelen = fuse::kMaximumName;
    append(reply, answer);
    return 0;
}

int FUSEServer::accept(const Request&, std::vector<u8>&) {
    return 0;
}

int FUSEServer::refuse_change(const Request&, std::vector<u8>&) {
    return EROFS;
}

int FUSEServer::not_supported(const Request&, std::vector<u8>&) {
    return ENOSYS;
}

}  // namespace uchronia::devices
