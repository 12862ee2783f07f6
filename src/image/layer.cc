#include "image/layer.h"

#include "image/archive_reader.h"
#include "image/chunk_writer.h"

namespace uchronia::image {
namespace {

constexpr u64 kLargestImage = u64{1} << 38;  // bytes of contents

// OCI image specification 1.0, layer.md, "Whiteouts".
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

Status apply_whiteout(const std::string& path, Tree& tree) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (name == kOpaque)
        return tree.remove_below(folder);
    const std::string gone = name.substr(kWhiteout.size());
    if (gone.empty() || gone == "." || gone == "..")
        return Error{"a layer takes away a file without a name"};
    return tree.remove_lower(folder + gone);
}

bool is_whiteout(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return std::string_view(path)
        .substr(slash == std::string::npos ? 0 : slash + 1)
        .starts_with(kWhiteout);
}

Status add_content(ArchiveReader& reader, ChunkWriter& writer, Entry& entry, Work& work) {
    const Status status = reader.read_content([&](std::span<const u8> bytes, u64 zeros) -> Status {
        work.add(bytes.size() + zeros);
        if (work.bytes > kLargestImage)
            return Error{"its contents are larger than " + std::to_string(kLargestImage >> 30) +
                         " GiB"};
        const Status appended = writer.append(bytes);
        return appended ? writer.append_zeros(zeros) : appended;
    });
    return status ? writer.finish(entry) : status;
}

Status add_member(ArchiveReader& reader, const Member& member, ChunkWriter& writer, Tree& tree,
                  Work& work) {
    if (!member.hard_link.empty())
        return tree.add_hard_link(member.path, member.hard_link);
    Entry entry{.path = member.path, .attributes = member.attributes, .target = {}, .chunks = {}};
    const u32 type = entry.attributes.mode & S_IFMT;
    entry.attributes.mode &= S_IFMT | 07777;
    if (type == S_IFCHR || type == S_IFBLK) {
        ++work.skipped_devices;
        return {};
    }
    if (type == S_IFREG) {
        if (Status status = add_content(reader, writer, entry, work); !status)
            return status;
    } else if (type == S_IFLNK) {
        entry.target = member.target;
        entry.attributes.size = member.target.size();
        if (member.target.empty() || member.target.size() > kLongestPath)
            return Error{"a symbolic link in it has an impossible target"};
    } else if (type == S_IFDIR || type == S_IFIFO || type == S_IFSOCK) {
        entry.attributes.size = 0;
    } else {
        return Error{"it has a member of an unknown type"};
    }
    return tree.add(std::move(entry));
}

}  // namespace

void Work::add(u64 more_bytes) {
    bytes += more_bytes;
    if (progress)
        progress(files, bytes);
}

Status add_archive(const Blob& archive, ArchiveKind kind, const history::ContentStore& store,
                   Tree& tree, Work& work) {
    const Result<std::unique_ptr<ArchiveReader>> reader = ArchiveReader::open(archive);
    if (!reader)
        return reader.error();
    tree.begin_layer();
    ChunkWriter writer(store);
    for (Member member;;) {
        const Result<bool> more = (*reader)->next(member);
        if (!more)
            return more.error();
        if (!*more)
            return {};
        ++work.files;
        work.add(0);
        const bool is_gone = kind == ArchiveKind::kLayer && is_whiteout(member.path);
        const Status status = is_gone ? apply_whiteout(member.path, tree)
                                      : add_member(**reader, member, writer, tree, work);
        if (!status)
            return Error{"cannot make an image of " + archive.name + ": " + status.error().message};
    }
}

}  // namespace uchronia::image
