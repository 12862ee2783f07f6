#include "image/image_files.h"

#include <algorithm>
#include <cstring>

namespace uchronia::image {
namespace {

constexpr std::size_t kChunkCount = 64;
constexpr std::size_t kListingCount = 8;

}  // namespace

ImageFiles::ImageFiles(std::shared_ptr<const Manifest> manifest, history::ContentStore store)
    : manifest_(std::move(manifest)),
      store_(std::move(store)),
      chunks_(kChunkCount),
      listings_(kListingCount) {}

host::FileResult<host::FileAttributes> ImageFiles::attributes(const std::string& path) {
    const Entry* entry = manifest_->find(path);
    if (entry == nullptr)
        return host::FileError{ENOENT};
    return entry->attributes;
}

host::FileResult<std::shared_ptr<const host::DirectoryListing>> ImageFiles::list(
    const std::string& path) {
    const Entry* entry = manifest_->find(path);
    if (entry == nullptr || !entry->attributes.is_directory())
        return host::FileError{entry == nullptr ? ENOENT : ENOTDIR};
    if (const auto* known = listings_.find(path))
        return *known;
    return listings_.insert(path,
                            std::make_shared<const host::DirectoryListing>(children_of(path)));
}

// The paths below a folder follow each other: "/a/b", "/a/b-c", "/a/b/d", "/a/c". What is below a
// child is jumped over.
host::DirectoryListing ImageFiles::children_of(const std::string& path) const {
    const auto below = [](const Entry& entry, const std::string& wanted) {
        return entry.path < wanted;
    };
    const std::string prefix = path == "/" ? path : path + "/";
    const std::vector<Entry>& entries = manifest_->entries;
    host::DirectoryListing listing;
    auto at = std::lower_bound(entries.begin(), entries.end(), prefix, below);
    while (at != entries.end() && at->path.starts_with(prefix)) {
        const std::size_t slash = at->path.find('/', prefix.size());
        if (slash != std::string::npos) {
            const std::string after = at->path.substr(0, slash) + static_cast<char>('/' + 1);
            at = std::lower_bound(at, entries.end(), after, below);
            continue;
        }
        if (at->path.size() > prefix.size())
            listing.push_back({at->path.substr(prefix.size()), at->attributes.mode & S_IFMT});
        ++at;
    }
    return listing;
}

host::FileResult<u64> ImageFiles::read(const std::string& path, u64 offset, std::span<u8> bytes) {
    const Entry* entry = manifest_->find(path);
    if (entry == nullptr)
        return host::FileError{ENOENT};
    const host::FileAttributes& attributes = entry->attributes;
    if (!attributes.is_regular())
        return host::FileError{attributes.is_directory() ? EISDIR
                               : attributes.is_symlink() ? ELOOP
                                                         : ENXIO};
    u64 done = 0;
    while (done < bytes.size() && offset < attributes.size) {
        const Chunk content = chunk(entry->chunks[offset / kChunkSize]);
        const u64 begin = offset % kChunkSize;
        const u64 expected =
            std::min(kChunkSize, attributes.size - offset / kChunkSize * kChunkSize);
        if (content == nullptr || content->size() != expected)
            return host::FileError{EIO};
        const u64 count = std::min(bytes.size() - done, expected - begin);
        std::memcpy(bytes.data() + done, content->data() + begin, count);
        done += count;
        offset += count;
    }
    return done;
}

ImageFiles::Chunk ImageFiles::chunk(Digest digest) {
    const std::string key = to_hex(digest);
    if (const Chunk* known = chunks_.find(key))
        return *known;
    std::optional<std::vector<u8>> content = store_.get(digest);
    if (!content)
        return nullptr;
    return chunks_.insert(key, std::make_shared<const std::vector<u8>>(std::move(*content)));
}

host::FileResult<std::string> ImageFiles::read_link(const std::string& path) {
    const Entry* entry = manifest_->find(path);
    if (entry == nullptr || !entry->attributes.is_symlink())
        return host::FileError{entry == nullptr ? ENOENT : EINVAL};
    return entry->target;
}

}  // namespace uchronia::image
