// Opens a file of the host without following any symbolic link on the way.
#pragma once

#include <string>

#include "host/file_descriptor.h"

namespace uchronia::host {

enum class OpenMethod {
    kOneCall,        // openat2(2), where the kernel and its filters have it; else as below.
    kEachComponent,  // openat(2) for each component.
};

// Opens `path` (relative; no component may be "..") below the directory `root`. A symbolic link
// on the way is ELOOP or ENOTDIR; as the last component it is opened itself with O_PATH, and is
// ELOOP otherwise. `flags` are those of open(2); O_NOFOLLOW and O_CLOEXEC are added.
FileResult<FileDescriptor> open_beneath(const FileDescriptor& root, const std::string& path,
                                        int flags, OpenMethod method = OpenMethod::kOneCall);

}  // namespace uchronia::host
