// Puts what an archive holds into a tree, and the contents into a store.
#pragma once

#include <functional>

#include "history/content_store.h"
#include "image/blob.h"
#include "image/tree.h"

namespace uchronia::image {

// Told now and then how much has been brought in since the beginning.
using Progress = std::function<void(u64 files, u64 bytes)>;

// What was done so far.
struct Work {
    u64 files = 0;
    u64 bytes = 0;
    u64 skipped_devices = 0;
    u64 skipped_mounts = 0;  // folders in which another file system is mounted
    Progress progress = {};  // may be empty

    void add(u64 more_bytes);
};

enum class ArchiveKind : u8 {
    kPlain,  // every name is a file's
    kLayer,  // ".wh." names are whiteouts, as container images have them
};

// Devices are counted and left out: the guest has its own in /dev.
Status add_archive(const Blob& archive, ArchiveKind kind, const history::ContentStore& store,
                   Tree& tree, Work& work);

}  // namespace uchronia::image
