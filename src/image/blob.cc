#include "image/blob.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <system_error>

namespace uchronia::image {

Result<Blob> open_blob(const std::string& path) {
    const auto file =
        std::make_shared<host::FileDescriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!*file || ::fstat(file->number(), &status) != 0)
        return Error{"cannot open " + path + ": " + std::generic_category().message(errno)};
    if (!S_ISREG(status.st_mode))
        return Error{path + " is no regular file; an image is made of a folder or an archive"};
    return Blob{.name = path, .file = file, .offset = 0, .size = static_cast<u64>(status.st_size)};
}

Result<std::vector<u8>> read_blob(const Blob& blob, u64 most) {
    if (blob.size > most)
        return Error{blob.name + " is too large for what it is: " + std::to_string(blob.size) +
                     " bytes"};
    std::vector<u8> bytes(blob.size);
    const host::FileResult<u64> count = host::read_at(*blob.file, blob.offset, bytes);
    if (!count.ok() || *count != bytes.size())
        return Error{
            "cannot read " + blob.name + ": " +
            (count.ok() ? "it ends too early" : std::generic_category().message(count.error()))};
    return bytes;
}

}  // namespace uchronia::image
