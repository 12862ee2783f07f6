#include "host/file_use.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "host/files.h"

namespace uchronia::host {
namespace {

constexpr u64 kBlockSize = 512;  // of st_blocks, whatever the file system's own is

bool is_number(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

FileUse use_of(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return {};
    FileUse use{.size = static_cast<u64>(status.st_blocks) * kBlockSize,
                .last_use = std::max<i64>(status.st_mtim.tv_sec, status.st_atim.tv_sec)};
    if (!S_ISDIR(status.st_mode))
        return use;
    // Looking at a folder changes its time of access, so that of the folder itself says nothing.
    use.last_use = status.st_mtim.tv_sec;
    const Result<std::vector<FolderEntry>> entries = list_directory(path);
    if (!entries)
        return use;
    for (const FolderEntry& entry : *entries) {
        const FileUse below = use_of(path + "/" + entry.name);
        use.size += below.size;
        use.last_use = std::max(use.last_use, below.last_use);
    }
    return use;
}

void note_use(const std::string& path) {
    const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_NOW},
                               {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
    ::utimensat(AT_FDCWD, path.c_str(), times, 0);
}

MappedByOthers::MappedByOthers() {
    const Result<std::vector<FolderEntry>> processes = list_directory("/proc");
    if (!processes)
        return;
    const std::string own = std::to_string(::getpid());
    for (const FolderEntry& process : *processes) {
        if (is_number(process.name) && process.name != own)
            read("/proc/" + process.name + "/maps");
    }
}

// Lines like "55d0…-55d1… r--p 00000000 fe:00 1234   /path" (proc(5)).
void MappedByOthers::read(const std::string& maps) {
    std::FILE* const file = std::fopen(maps.c_str(), "re");
    if (file == nullptr)
        return;
    char* line = nullptr;
    std::size_t capacity = 0;
    while (::getline(&line, &capacity, file) > 0) {
        unsigned major = 0, minor = 0;
        unsigned long long inode = 0;
        int path = 0;
        if (std::sscanf(line, "%*s %*s %*s %x:%x %llu %n", &major, &minor, &inode, &path) != 3 ||
            inode == 0)
            continue;
        files_.emplace(makedev(major, minor), inode);
        std::string name = line + path;
        if (!name.empty() && name.back() == '\n')
            name.pop_back();
        paths_.insert(name);
    }
    std::free(line);
    std::fclose(file);
}

// By device and inode, and by path, as some file systems have numbers of their own in /proc.
bool MappedByOthers::contains(const std::string& path) const {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && files_.contains({status.st_dev, status.st_ino}))
        return true;
    char real[PATH_MAX];
    return paths_.contains(::realpath(path.c_str(), real) == nullptr ? path : real);
}

Result<u64> free_space(const std::string& path) {
    struct statvfs status {};
    if (::statvfs(path.c_str(), &status) != 0)
        return Error{"cannot ask for the free space of " + path + ": " + std::strerror(errno)};
    return u64{status.f_bavail} * status.f_frsize;
}

}  // namespace uchronia::host
