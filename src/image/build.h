// Makes an image of a folder or an archive: a root file system, or a container image.
//
// Its contents and its manifest go into the content store; the manifest's digest names the image.
#pragma once

#include <string>

#include "base/result.h"
#include "history/content_store.h"
#include "image/folder.h"
#include "image/layer.h"
#include "image/manifest.h"

namespace uchronia::image {

struct BuiltImage {
    Digest digest;
    Manifest manifest;
    std::string name;  // what a container image calls itself, or empty
};

// `work_folder` is for a file without a name. What was left out is counted in `work`.
Result<BuiltImage> build_image(const std::string& source, const EarlierScan& earlier,
                               const history::ContentStore& store, const std::string& work_folder,
                               Work& work);

// The manifest of an image that was built, if the store has it; the error says what to do.
Result<Manifest> load_manifest(Digest digest, const std::string& name,
                               const history::ContentStore& store);

// A file of which the store lacks contents, or empty.
std::string file_without_content(const Manifest& manifest, const history::ContentStore& store);

}  // namespace uchronia::image
