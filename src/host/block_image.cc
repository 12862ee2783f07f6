#include "host/block_image.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace uchronia::host {

Result<std::unique_ptr<BlockImage>> FileBlockImage::open(const std::string& path) {
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status;
    if (!file || ::fstat(file.number(), &status) != 0)
        return Error{"disk image " + path + ": " + std::generic_category().message(errno)};
    if (!S_ISREG(status.st_mode))
        return Error{"disk image " + path + ": not a regular file"};
    const u64 size = static_cast<u64>(status.st_size);
    return std::unique_ptr<BlockImage>(new FileBlockImage(std::move(file), size));
}

bool FileBlockImage::read(u64 sector, std::span<u8> bytes) {
    const u64 offset = sector * kSectorSize;
    if (offset > size_)
        return false;
    const u64 in_file = std::min<u64>(bytes.size(), size_ - offset);
    const FileResult<u64> count = read_at(file_, offset, bytes.first(in_file));
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(in_file), bytes.end(), u8{0});
    return count.ok() && *count == in_file;
}

}  // namespace uchronia::host
