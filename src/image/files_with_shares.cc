#include "image/files_with_shares.h"

#include <algorithm>
#include <map>

namespace uchronia::image {
namespace {

bool is_below(const std::string& path, const std::string& folder) {
    return folder == "/" ? path.size() > 1
                         : path.size() > folder.size() && path.starts_with(folder) &&
                               path[folder.size()] == '/';
}

}  // namespace

FilesWithShares::Place FilesWithShares::place_of(const std::string& path) const {
    Place place = Place::kBelow;
    for (const std::string& share : shares_->exports()) {
        if (path == share || is_below(path, share))
            return Place::kShared;
        if (is_below(share, path))
            place = Place::kOnTheWay;
    }
    return place;
}

host::FileSource& FilesWithShares::source_of(const std::string& path) {
    switch (place_of(path)) {
        case Place::kBelow:
            return *below_;
        case Place::kShared:
            return *shares_;
        case Place::kOnTheWay:
            break;
    }
    const host::FileResult<host::FileAttributes> found = below_->attributes(path);
    return found.ok() && found->is_directory() ? *below_ : *shares_;
}

host::FileResult<host::FileAttributes> FilesWithShares::attributes(const std::string& path) {
    return source_of(path).attributes(path);
}

host::FileResult<std::shared_ptr<const host::DirectoryListing>> FilesWithShares::list(
    const std::string& path) {
    host::FileSource& source = source_of(path);
    if (place_of(path) != Place::kOnTheWay || &source == shares_.get())
        return source.list(path);
    const auto own = below_->list(path), more = shares_->list(path);
    if (!own.ok() || !more.ok())
        return own.ok() ? more : own;
    std::map<std::string, u32> types;
    for (const auto* listing : {&**own, &**more}) {
        for (const host::DirectoryEntry& entry : *listing)
            types[entry.name] = entry.type;
    }
    host::DirectoryListing both;
    for (const auto& [name, type] : types)
        both.push_back({name, type});
    return std::make_shared<const host::DirectoryListing>(std::move(both));
}

host::FileResult<u64> FilesWithShares::read(const std::string& path, u64 offset,
                                            std::span<u8> bytes) {
    return source_of(path).read(path, offset, bytes);
}

host::FileResult<std::string> FilesWithShares::read_link(const std::string& path) {
    return source_of(path).read_link(path);
}

}  // namespace uchronia::image
