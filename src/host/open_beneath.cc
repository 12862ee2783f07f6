#include "host/open_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/types.h"

namespace uchronia::host {
namespace {

FileResult<FileDescriptor> open_in_one_call(const FileDescriptor& root, const char* path,
                                            int flags) {
    open_how how{};
    how.flags = static_cast<u64>(flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    while (true) {
        const long number = ::syscall(SYS_openat2, root.number(), path, &how, sizeof how);
        if (number >= 0)
            return FileDescriptor(static_cast<int>(number));
        // EAGAIN: something was renamed while the kernel was on its way.
        if (errno != EINTR && errno != EAGAIN)
            return FileError{errno};
    }
}

FileResult<FileDescriptor> open_component(int directory, const char* name, int flags) {
    while (true) {
        FileDescriptor opened(::openat(directory, name, flags));
        if (opened)
            return opened;
        if (errno != EINTR)
            return FileError{errno};
    }
}

FileResult<FileDescriptor> open_each_component(const FileDescriptor& root, const std::string& path,
                                               int flags) {
    FileDescriptor directory;
    std::string::size_type start = 0;
    while (true) {
        const int at = directory ? directory.number() : root.number();
        const std::string::size_type slash = path.find('/', start);
        const std::string name = path.substr(start, slash - start);
        if (name == "..")
            return FileError{EXDEV};
        if (slash == std::string::npos)
            return open_component(at, name.c_str(), flags);
        constexpr int kStep = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        FileResult<FileDescriptor> next = open_component(at, name.c_str(), kStep);
        if (!next.ok())
            return next;
        directory = std::move(*next);
        start = slash + 1;
    }
}

}  // namespace

FileResult<FileDescriptor> open_beneath(const FileDescriptor& root, const std::string& path,
                                        int flags, OpenMethod method) {
    flags |= O_NOFOLLOW | O_CLOEXEC;
    if (method == OpenMethod::kOneCall) {
        FileResult<FileDescriptor> opened = open_in_one_call(root, path.c_str(), flags);
        // EPERM also comes from filters of system calls that do not know this one.
        if (opened.ok() || (opened.error() != ENOSYS && opened.error() != EPERM))
            return opened;
    }
    return open_each_component(root, path, flags);
}

}  // namespace uchronia::host
