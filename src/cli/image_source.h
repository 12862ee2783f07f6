// The images of the cache folder: found by what the user calls them, built where that is needed.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "history/history.h"
#include "host/file_source.h"
#include "image/image_list.h"
#include "image/manifest.h"

namespace uchronia::cli {

// The list of images in the cache folder.
Result<image::ImageList> image_list();

struct FoundImage {
    std::string name;  // as the user calls it
    Digest digest;
    std::shared_ptr<const image::Manifest> manifest;
};

// An image by its name, or made of a folder or archive; what was made of the same before is used as
// far as it is the same. Says on standard error what takes long.
Result<FoundImage> obtain_image(const std::string& name_or_path);

// Makes an image and lists it; an empty name: that of the container image, or of the source.
Result<image::ListedImage> build_named_image(const std::string& source, const std::string& name);

// The files of an image that a history names. Without its manifest they are empty: a replay then
// has what its record and the store have.
std::unique_ptr<host::FileSource> open_image_files(const history::FileView& view);

}  // namespace uchronia::cli
