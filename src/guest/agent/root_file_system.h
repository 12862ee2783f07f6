// The root that the command sees: the host's files read-only below, a tmpfs that takes all writes
// above, and the kernel's own file systems in their places.
#pragma once

#include "guest/run_description.h"

namespace uchronia::agent {

// Open folders that the root hides.
struct RootFolders {
    int host;   // what the machine shares: the overlay's lower layer
    int upper;  // in which the overlay keeps what is written
};

// Builds it and makes it the root of this process. /tmp is empty and private to the guest, unless
// the working directory or a share lies in the host's /tmp: then it is the host's, under the
// overlay. An image has its own /tmp, and gets the files in /etc that a container gets, if it has
// none.
RootFolders enter_root_file_system(const guest::RunDescription& run);

}  // namespace uchronia::agent
