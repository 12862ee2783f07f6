#include "host/file_switch.h"

namespace uchronia::host {

FileResult<FileAttributes> FileSwitch::attributes(const std::string& path) {
    const Place place = place_of(path);
    return place.source.attributes(place.path);
}

FileResult<std::shared_ptr<const DirectoryListing>> FileSwitch::list(const std::string& path) {
    const Place place = place_of(path);
    return place.source.list(place.path);
}

FileResult<u64> FileSwitch::read(const std::string& path, u64 offset, std::span<u8> bytes) {
    const Place place = place_of(path);
    return place.source.read(place.path, offset, bytes);
}

FileResult<std::string> FileSwitch::read_link(const std::string& path) {
    const Place place = place_of(path);
    return place.source.read_link(place.path);
}

}  // namespace uchronia::host
