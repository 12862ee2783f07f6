// A file tree with one more folder of the host in it, at a path of its own that no listing shows:
// for the guest's agent, not for its programs.
#pragma once

#include <memory>

#include "host/file_switch.h"

namespace uchronia::image {

class HiddenFolder final : public host::FileSwitch {
  public:
    // `guest_path` is one name below "/". `folder` has `host_path`, where the content is.
    HiddenFolder(std::unique_ptr<host::FileSource> below, std::unique_ptr<host::FileSource> folder,
                 std::string guest_path, std::string host_path)
        : below_(std::move(below)),
          folder_(std::move(folder)),
          guest_path_(std::move(guest_path)),
          host_path_(std::move(host_path)) {}

  private:
    Place place_of(const std::string& path) override;

    std::unique_ptr<host::FileSource> below_, folder_;
    const std::string guest_path_, host_path_;
};

}  // namespace uchronia::image
