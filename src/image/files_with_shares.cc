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

FilesWithShares::Kind FilesWithShares::kind_of(const std::string& path) const {
    Kind kind = Kind::kBelow;
    for (const std::string& share : shares_->exports()) {
        if (path == share || is_below(path, share))
            return Kind::kShared;
        if (is_below(share, path))
            kind = Kind::kOnTheWay;
    }
    return kind;
}

host::FileSwitch::Place FilesWithShares::place_of(const std::string& path) {
    switch (kind_of(path)) {
        case Kind::kBelow:
            return {*below_, path};
        case Kind::kShared:
            return {*shares_, path};
        case Kind::kOnTheWay:
            break;
    }
    const host::FileResult<host::FileAttributes> found = below_->attributes(path);
    if (found.ok() && found->is_directory())
        return {*below_, path};
    return {*shares_, path};
}

host::FileResult<std::shared_ptr<const host::DirectoryListing>> FilesWithShares::list(
    const std::string& path) {
    if (kind_of(path) != Kind::kOnTheWay || &place_of(path).source == shares_.get())
        return FileSwitch::list(path);
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

}  // namespace uchronia::image
