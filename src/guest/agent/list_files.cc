#include "guest/agent/list_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace uchronia::agent {
namespace {

int fail(const char* path) {
    dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
    return 1;
}

void write_all(const char* bytes, std::size_t size) {
    while (size != 0) {
        const ssize_t written = write(STDOUT_FILENO, bytes, size);
        if (written < 0 && errno != EINTR)
            return;
        if (written > 0) {
            bytes += written;
            size -= static_cast<std::size_t>(written);
        }
    }
}

// Whether it is there.
bool list_one(int folder, const char* path, const char* name) {
    struct stat status;
    if (fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    static char entry[128 + 2 * PATH_MAX];
    const bool is_device = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
    const int size =
        snprintf(entry, 128 + PATH_MAX, "%o %lu %u %u %ld %ld %ld %u %u%c%s", status.st_mode,
                 static_cast<unsigned long>(status.st_nlink), status.st_uid, status.st_gid,
                 static_cast<long>(status.st_size), static_cast<long>(status.st_mtim.tv_sec),
                 static_cast<long>(status.st_mtim.tv_nsec), is_device ? major(status.st_rdev) : 0,
                 is_device ? minor(status.st_rdev) : 0, '\0', name);
    if (size < 0 || size >= 128 + PATH_MAX)
        return true;
    std::size_t end = static_cast<std::size_t>(size) + 1;
    if (S_ISLNK(status.st_mode)) {
        const ssize_t target = readlinkat(folder, path, entry + end, PATH_MAX - 1);
        end += target > 0 ? static_cast<std::size_t>(target) : 0;
    }
    entry[end++] = '\0';
    write_all(entry, end);
    return true;
}

}  // namespace

int list_files(const char* path) {
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return list_one(AT_FDCWD, path, path) ? 0 : fail(path);
    dirent** entries = nullptr;
    const int count = scandir(path, &entries, nullptr, nullptr);
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (count < 0 || folder < 0)
        return fail(path);
    // strcmp in place of alphasort, which depends on a locale.
    qsort(entries, static_cast<std::size_t>(count), sizeof *entries,
          [](const void* a, const void* b) {
              return strcmp((*static_cast<dirent* const*>(a))->d_name,
                            (*static_cast<dirent* const*>(b))->d_name);
          });
    for (int i = 0; i < count; ++i) {
        const char* name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            list_one(folder, name, name);
    }
    return 0;
}

}  // namespace uchronia::agent
