#include "image/hidden_folder.h"

namespace uchronia::image {

HiddenFolder::Place HiddenFolder::place_of(const std::string& path) const {
    if (path == guest_path_ || path.starts_with(guest_path_ + "/"))
        return {*folder_, host_path_ + path.substr(guest_path_.size())};
    return {*below_, path};
}

host::FileResult<host::FileAttributes> HiddenFolder::attributes(const std::string& path) {
    const Place place = place_of(path);
    return place.source.attributes(place.path);
}

host::FileResult<std::shared_ptr<const host::DirectoryListing>> HiddenFolder::list(
    const std::string& path) {
    const Place place = place_of(path);
    return place.source.list(place.path);
}

host::FileResult<u64> HiddenFolder::read(const std::string& path, u64 offset, std::span<u8> bytes) {
    const Place place = place_of(path);
    return place.source.read(place.path, offset, bytes);
}

host::FileResult<std::string> HiddenFolder::read_link(const std::string& path) {
    const Place place = place_of(path);
    return place.source.read_link(place.path);
}

}  // namespace uchronia::image
