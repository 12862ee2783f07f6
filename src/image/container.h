// Container images as archives and folders: what `docker save` writes, and the OCI image layout
// (OCI image specification 1.0, image-layout.md). Finds their layers and their configuration.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/blob.h"
#include "image/manifest.h"

namespace uchronia::image {

struct Container {
    std::vector<Blob> layers;  // the lowest first
    Configuration configuration;
    std::string name;  // what it calls itself, or empty
};

// Nothing if it is none: a root file system, or something else.
Result<std::optional<Container>> container_in_folder(const std::string& folder);
Result<std::optional<Container>> container_in_archive(const Blob& archive,
                                                      const std::string& work_folder);

}  // namespace uchronia::image
