// Puts what a folder of the host holds into a tree, and the contents into a store.
//
// A file whose content is known from the manifest before (same path, size and times, and not
// changed since) is not read again. Symbolic links are never followed. Other file systems that are
// mounted in the folder are left out, and so are devices.
#pragma once

#include "history/content_store.h"
#include "image/layer.h"
#include "image/manifest.h"

namespace uchronia::image {

// What an earlier scan of the same folder found, and when it began (seconds since 1970).
struct EarlierScan {
    const Manifest* manifest = nullptr;  // null: none
    i64 begin_seconds = 0;
};

// Files of the calling user belong to root in the image, unless that user is root: so a tree that
// was unpacked without root's help is one that programs expect.
Status add_folder(const std::string& folder, const EarlierScan& earlier,
                  const history::ContentStore& store, Tree& tree, Work& work);

}  // namespace uchronia::image
