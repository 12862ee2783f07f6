#include "host/file_descriptor.h"

#include <unistd.h>

#include <limits>

namespace uchronia::host {

FileDescriptor::~FileDescriptor() {
    if (number_ >= 0)
        ::close(number_);
}

FileResult<u64> read_at(const FileDescriptor& file, u64 offset, std::span<u8> bytes) {
    constexpr u64 kLargestOffset = std::numeric_limits<off_t>::max();
    u64 done = 0;
    while (done < bytes.size() && offset <= kLargestOffset - done) {
        const ssize_t count = ::pread(file.number(), bytes.data() + done, bytes.size() - done,
                                      static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return FileError{errno};
        if (count == 0)
            break;
        done += static_cast<u64>(count);
    }
    return done;
}

}  // namespace uchronia::host
