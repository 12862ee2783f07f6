#include "host/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

namespace uchronia::host {

Result<FileLock> FileLock::take(const std::string& path, Wait wait) {
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file)
        return Error{"cannot open the lock file " + path + ": " + std::strerror(errno)};
    while (::flock(file.number(), LOCK_EX | (wait == Wait::kNo ? LOCK_NB : 0)) != 0) {
        if (errno == EWOULDBLOCK)
            return FileLock(FileDescriptor());
        if (errno != EINTR)
            return Error{"cannot lock " + path + ": " + std::strerror(errno)};
    }
    return FileLock(std::move(file));
}

}  // namespace uchronia::host
