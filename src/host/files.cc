#include "host/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>

namespace uchronia::host {
namespace {

// Closes a descriptor at the end of a scope.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    bool valid() const { return number_ >= 0; }
    int number() const { return number_; }
    // Gives the number away; the caller closes it.
    int release() {
        const int number = number_;
        number_ = -1;
        return number;
    }
    // False if the system reports a delayed write error.
    bool close() {
        const int number = number_;
        number_ = -1;
        return number < 0 || ::close(number) == 0;
    }

  private:
    int number_;
};

const char* remedy_for(int error) {
    switch (error) {
        case ENOENT:
            return "; check the path";
        case EACCES:
        case EPERM:
            return "; check its owner and permissions";
        case ENOSPC:
        case EDQUOT:
            return "; free some space and try again";
        case EROFS:
            return "; choose a folder that can be written";
        case EISDIR:
            return "; name a file, not a folder";
        default:
            return "";
    }
}

Error failure(const char* what, const std::string& path, int error) {
    return {std::string("cannot ") + what + " '" + path + "': " + std::strerror(error) +
            remedy_for(error)};
}

Status write_all(int descriptor, std::span<const u8> contents, const std::string& path) {
    while (!contents.empty()) {
        const ssize_t written = ::write(descriptor, contents.data(), contents.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failure("write", path, errno);
        contents = contents.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

// A rename is only durable once its folder is.
Status sync_directory(const std::string& path) {
    Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.valid())
        return failure("open the folder", path, errno);
    // Some file systems cannot sync a folder, and say so with EINVAL.
    if (::fsync(folder.number()) != 0 && errno != EINVAL)
        return failure("sync the folder", path, errno);
    return {};
}

enum class Durability : u8 {
    kSynced,  // on the disk before it has its name
    kCached,  // whenever the system writes it there
};

Status write_and_close(Descriptor& file, std::span<const u8> contents, const std::string& path,
                       Durability durability = Durability::kCached) {
    if (Status status = write_all(file.number(), contents, path); !status)
        return status;
    if (durability == Durability::kSynced && ::fsync(file.number()) != 0)
        return failure("write", path, errno);
    if (!file.close())
        return failure("write", path, errno);
    return {};
}

// Whether the path still names this open file.
bool is_named(const Descriptor& file, const std::string& path) {
    struct stat opened {};
    struct stat named {};
    return ::fstat(file.number(), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// A writer holds a lock on its new file until that has its name. So one without a lock was left by
// a process that has been killed. False: there is none, or it is in use.
bool remove_abandoned(const std::string& temporary) {
    const Descriptor file(
        ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    return file.valid() && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0 &&
           is_named(file, temporary) && ::unlink(temporary.c_str()) == 0;
}

// Makes the file and locks it: its descriptor, or less an errno. EEXIST: it is another writer's.
int create_temporary(const std::string& temporary, mode_t mode) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int number = ::open(temporary.c_str(), kFlags, mode);
    if (number < 0 && errno != EEXIST)
        return -errno;
    if (number < 0) {
        if (!remove_abandoned(temporary))
            return -EEXIST;
        number = ::open(temporary.c_str(), kFlags, mode);
        if (number < 0)
            return -errno;
    }
    // Before it was locked, another process may have taken it for abandoned.
    Descriptor file(number);
    const bool is_taken = ::flock(number, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    return is_taken || !is_named(file, temporary) ? -EEXIST : file.release();
}

// A new file beside it, which takes its name when it is complete.
Status replace_file(const std::string& path, std::span<const u8> contents, mode_t mode,
                    Durability durability) {
    const auto name = [&](int attempt) { return path + ".new" + std::to_string(attempt); };
    int attempt = 0;
    int number = create_temporary(name(attempt), mode);
    while (number == -EEXIST && attempt < 1000)
        number = create_temporary(name(++attempt), mode);
    if (number < 0)
        return failure("create a file beside", path, -number);
    Descriptor file(number);
    const std::string temporary = name(attempt);
    const Descriptor lock(::fcntl(number, F_DUPFD_CLOEXEC, 0));
    if (Status status = write_and_close(file, contents, path, durability); !status) {
        ::unlink(temporary.c_str());
        return status;
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        return failure("replace", path, error);
    }
    while (remove_abandoned(name(++attempt)))
        continue;
    return {};
}

EntryKind kind_of(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return EntryKind::kOther;
    if (S_ISREG(status.st_mode))
        return EntryKind::kFile;
    if (S_ISDIR(status.st_mode))
        return EntryKind::kDirectory;
    return S_ISLNK(status.st_mode) ? EntryKind::kSymbolicLink : EntryKind::kOther;
}

}  // namespace

bool is_file_of_user_alone(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

i64 seconds_of_change(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mtime : 0;
}

Status append_to_file(const std::string& path, std::span<const u8> contents) {
    Descriptor file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid())
        return failure("open", path, errno);
    return write_and_close(file, contents, path);
}

Status write_private_file_at(const std::string& path, u64 offset, std::span<const u8> contents) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid())
        return failure("open", path, errno);
    const off_t end = static_cast<off_t>(offset);
    if (::ftruncate(file.number(), end) != 0 || ::lseek(file.number(), end, SEEK_SET) != end)
        return failure("write", path, errno);
    return write_and_close(file, contents, path);
}

Result<std::vector<u8>> read_file(const std::string& path) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid())
        return failure("open", path, errno);
    struct stat status {};
    if (::fstat(file.number(), &status) != 0)
        return failure("read", path, errno);
    // The size is a hint only: files of /proc say 0.
    std::vector<u8> contents(static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)) + 1);
    std::size_t size = 0;
    for (;;) {
        const ssize_t got = ::read(file.number(), contents.data() + size, contents.size() - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failure("read", path, errno);
        if (got == 0)
            break;
        size += static_cast<std::size_t>(got);
        if (size == contents.size())
            contents.resize(size * 2);
    }
    contents.resize(size);
    return contents;
}

Status write_file_atomically(const std::string& path, std::span<const u8> contents) {
    if (Status status = replace_file(path, contents, 0666, Durability::kSynced); !status)
        return status;
    return sync_directory(parent_of(path));
}

Status write_cached_file(const std::string& path, std::span<const u8> contents) {
    return replace_file(path, contents, 0600, Durability::kCached);
}

bool refresh_cached_file(const std::string& path) {
    constexpr i64 kSecondsOfDay = 24 * 60 * 60;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
        return false;
    // A cache of another user, or one that is read-only, serves as it is.
    if (::time(nullptr) - status.st_mtime > kSecondsOfDay)
        static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), nullptr, 0));
    return true;
}

Status write_file_atomically(const std::string& path, std::string_view contents) {
    return write_file_atomically(
        path, std::span(reinterpret_cast<const u8*>(contents.data()), contents.size()));
}

Status remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return failure("remove", path, errno);
    return {};
}

Status remove_folder(const std::string& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    return error ? Status(failure("remove the folder", path, error.value())) : Status();
}

Result<std::vector<FolderEntry>> list_directory(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    if (folder == nullptr)
        return failure("list the folder", path, errno);
    std::vector<FolderEntry> entries;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(folder.get());
        if (entry == nullptr && errno != 0)
            return failure("list the folder", path, errno);
        if (entry == nullptr)
            break;
        const std::string name = entry->d_name;
        if (name != "." && name != "..")
            entries.push_back({name, kind_of(path + "/" + name)});
    }
    std::sort(entries.begin(), entries.end(),
              [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
    return entries;
}

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Status create_directories(const std::string& path) {
    if (path.empty() || is_directory(path))
        return {};
    if (const std::string parent = parent_of(path); parent != path) {
        if (Status status = create_directories(parent); !status)
            return status;
    }
    // Another process may have been faster; that is no failure.
    if (::mkdir(path.c_str(), 0777) != 0 && !(errno == EEXIST && is_directory(path)))
        return failure("create the folder", path, errno);
    return {};
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

MappedFile::~MappedFile() {
    if (!bytes_.empty())
        ::munmap(const_cast<u8*>(bytes_.data()), bytes_.size());
}

Result<MappedFile> map_file(const std::string& path) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid())
        return failure("open", path, errno);
    struct stat status {};
    if (::fstat(file.number(), &status) != 0)
        return failure("map", path, errno);
    if (S_ISDIR(status.st_mode))
        return failure("map", path, EISDIR);
    const std::size_t size = static_cast<std::size_t>(status.st_size);
    if (size == 0)
        return MappedFile();
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
    if (address == MAP_FAILED)
        return failure("map", path, errno);
    return MappedFile(std::span(static_cast<const u8*>(address), size));
}

}  // namespace uchronia::host
