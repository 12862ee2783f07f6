#include "image/hidden_folder.h"

namespace uchronia::image {

host::FileSwitch::Place HiddenFolder::place_of(const std::string& path) {
    if (path == guest_path_ || path.starts_with(guest_path_ + "/"))
        return {*folder_, host_path_ + path.substr(guest_path_.size())};
    return {*below_, path};
}

}  // namespace uchronia::image
