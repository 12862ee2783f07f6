// A run of bytes of an open file: an archive, or one that lies in another.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/file_descriptor.h"

namespace uchronia::image {

struct Blob {
    std::string name;  // for messages
    std::shared_ptr<const host::FileDescriptor> file;
    u64 offset = 0;
    u64 size = 0;  // bytes
};

// The whole of a regular file.
Result<Blob> open_blob(const std::string& path);

// All its bytes. Fails if there are more than `most`.
Result<std::vector<u8>> read_blob(const Blob& blob, u64 most);

}  // namespace uchronia::image
