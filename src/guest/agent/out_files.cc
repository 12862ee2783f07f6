#include "guest/agent/out_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "guest/agent/guest_host.h"

namespace uchronia::agent {
namespace {

constexpr long kMoment = 20'000'000;  // nanoseconds; longer than a step of the coarse clock
constexpr rlim_t kOpenFiles = 8192;   // one for each level of folders
constexpr std::size_t kDataSize = 256 << 10;
constexpr char kRedirect[] = "trusted.overlay.redirect";

UchroniaOwner owner = UCHRONIA_OF_RUN;
timespec begin_time;
unsigned long record_count;
// The header of a record, and then its text or its data.
alignas(4096) unsigned char record_buffer[sizeof(UchroniaFileRecord) + kDataSize];
// The path of the present file below the folder, without a slash at its begin.
char path_buffer[PATH_MAX];

void send_record(UchroniaFileRecord record, const void* text, std::size_t text_size,
                 std::size_t data_size) {
    record.text_size = static_cast<unsigned>(text_size);
    memcpy(record_buffer, &record, sizeof record);
    if (text_size != 0)
        memcpy(record_buffer + sizeof record, text, text_size);
    send_files(owner, record_buffer, sizeof record + text_size + data_size);
    ++record_count;
}

void send_path(UchroniaFileKind kind, unsigned mode, unsigned long size) {
    UchroniaFileRecord record{};
    record.kind = kind;
    record.mode = mode & 07777;
    record.size = size;
    send_record(record, path_buffer, strlen(path_buffer), 0);
}

// The data of an open file, without its holes.
void send_data(int file, off_t size) {
    for (off_t offset = lseek(file, 0, SEEK_DATA); offset >= 0 && offset < size;
         offset = lseek(file, offset, SEEK_DATA)) {
        off_t end = lseek(file, offset, SEEK_HOLE);
        if (end < 0 || end > size)
            end = size;
        while (offset < end) {
            const off_t left = end - offset;
            const std::size_t wanted =
                left < off_t{kDataSize} ? static_cast<std::size_t>(left) : kDataSize;
            const ssize_t count =
                pread(file, record_buffer + sizeof(UchroniaFileRecord), wanted, offset);
            if (count <= 0)
                return;
            UchroniaFileRecord record{};
            record.kind = UCHRONIA_FILE_DATA;
            record.size = static_cast<unsigned long>(count);
            record.offset = static_cast<unsigned long>(offset);
            send_record(record, nullptr, 0, static_cast<std::size_t>(count));
            offset += count;
        }
    }
}

void send_file(int folder, const char* name, const struct stat& status) {
    const int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        send_path(UCHRONIA_FILE_OTHER, 0, 0);
        return;
    }
    send_path(UCHRONIA_FILE_REGULAR, status.st_mode, static_cast<unsigned long>(status.st_size));
    send_data(file, status.st_size);
    close(file);
}

void send_link(int folder, const char* name) {
    static char text[2 * PATH_MAX];
    const std::size_t path_size = strlen(path_buffer) + 1;
    memcpy(text, path_buffer, path_size);
    const ssize_t size = readlinkat(folder, name, text + path_size, PATH_MAX);
    UchroniaFileRecord record{};
    record.kind = UCHRONIA_FILE_SYMLINK;
    if (size > 0 && path_size + static_cast<std::size_t>(size) <= UCHRONIA_FILE_LONGEST_TEXT)
        send_record(record, text, path_size + static_cast<std::size_t>(size), 0);
    else
        send_path(UCHRONIA_FILE_OTHER, 0, 0);
}

bool is_of_command(const struct stat& status) {
    return status.st_ctim.tv_sec > begin_time.tv_sec ||
           (status.st_ctim.tv_sec == begin_time.tv_sec &&
            status.st_ctim.tv_nsec >= begin_time.tv_nsec);
}

int compare_names(const void* a, const void* b) {
    return strcmp(*static_cast<char* const*>(a), *static_cast<char* const*>(b));
}

// The names in a folder, sorted; the last is null. Takes `folder`.
char** names_in(int folder) {
    DIR* directory = fdopendir(folder);
    if (directory == nullptr)
        panic("list a folder");
    std::size_t count = 0, capacity = 64;
    char** names = static_cast<char**>(malloc(capacity * sizeof(char*)));
    while (const dirent* entry = readdir(directory)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count + 1 == capacity)
            names = static_cast<char**>(realloc(names, (capacity *= 2) * sizeof(char*)));
        if (names == nullptr || (names[count++] = strdup(entry->d_name)) == nullptr)
            panic("allocate memory");
    }
    closedir(directory);
    qsort(names, count, sizeof(char*), compare_names);
    names[count] = nullptr;
    return names;
}

enum class What {
    kChanges,  // in the overlay's upper folder, what the command has written
    kAll,      // in the merged tree, everything: a folder that was renamed to here
};

void walk(int folder, std::size_t path_size, What what);

bool is_view_of_kernel(int folder) {
    struct statfs status;
    if (fstatfs(folder, &status) != 0)
        return false;
    return status.f_type == PROC_SUPER_MAGIC || status.f_type == SYSFS_MAGIC ||
           status.f_type == CGROUP2_SUPER_MAGIC;
}

// `path_buffer` holds the folder's path. Whatever is in a folder that was renamed lies in the lower
// layer, so that the merged tree tells it.
void walk_folder(int parent, const char* name, const struct stat& status, What what) {
    if (what == What::kAll || is_of_command(status))
        send_path(UCHRONIA_FILE_FOLDER, status.st_mode, 0);
    const int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) {
        send_path(UCHRONIA_FILE_OTHER, 0, 0);
        return;
    }
    if (what == What::kAll && is_view_of_kernel(folder)) {
        close(folder);
        return;
    }
    const bool is_renamed = what == What::kChanges && fgetxattr(folder, kRedirect, nullptr, 0) >= 0;
    if (is_renamed) {
        // The working directory of this process is the folder that is brought out.
        const int merged = open(path_buffer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (merged >= 0)
            walk(merged, strlen(path_buffer), What::kAll);
    } else {
        walk(dup(folder), strlen(path_buffer), what);
    }
    close(folder);
}

void walk_file(int folder, const char* name, What what) {
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (S_ISDIR(status.st_mode)) {
        walk_folder(folder, name, status, what);
        return;
    }
    if (what == What::kChanges && !is_of_command(status))
        return;
    // A character device 0:0 is the overlay's sign for what was removed.
    if (what == What::kChanges && S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0))
        send_path(UCHRONIA_FILE_REMOVED, 0, 0);
    else if (S_ISREG(status.st_mode))
        send_file(folder, name, status);
    else if (S_ISLNK(status.st_mode))
        send_link(folder, name);
    else
        send_path(UCHRONIA_FILE_OTHER, 0, 0);
}

// Takes `folder`, whose path is the first `path_size` bytes of the buffer.
void walk(int folder, std::size_t path_size, What what) {
    char** names = names_in(dup(folder));
    for (char** name = names; *name != nullptr; ++name) {
        const std::size_t name_size = strlen(*name);
        const std::size_t slash = path_size == 0 ? 0 : 1;
        if (path_size + slash + name_size < sizeof path_buffer) {
            if (slash != 0)
                path_buffer[path_size] = '/';
            memcpy(path_buffer + path_size + slash, *name, name_size + 1);
            walk_file(folder, *name, what);
            path_buffer[path_size] = '\0';
        } else {
            log_line(UCHRONIA_LOG_WARNING, "a file does not come out, as its path is too long");
        }
        free(*name);
    }
    free(names);
    close(folder);
}

void allow_many_files() {
    const rlimit files{kOpenFiles, kOpenFiles};
    setrlimit(RLIMIT_NOFILE, &files);
}

void send_end() {
    UchroniaFileRecord record{};
    record.kind = UCHRONIA_FILE_END;
    record.size = record_count;
    send_record(record, nullptr, 0, 0);
}

void end_all_processes() {
    kill(-1, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
}

}  // namespace

void wait_for_next_moment() {
    const timespec moment{0, kMoment};
    nanosleep(&moment, nullptr);
    clock_gettime(CLOCK_REALTIME_COARSE, &begin_time);
}

void bring_out_files(int upper, const char* folder) {
    end_all_processes();
    allow_many_files();
    static char real[PATH_MAX];
    record_count = 0;
    path_buffer[0] = '\0';
    if (realpath(folder, real) != nullptr && chdir(real) == 0) {
        const char* below = real[1] == '\0' ? "." : real + 1;
        const int changed = openat(upper, below, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;
        const bool is_renamed = changed >= 0 && fgetxattr(changed, kRedirect, nullptr, 0) >= 0;
        if (is_renamed)
            walk(open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, What::kAll);
        else if (changed >= 0 && fstat(changed, &status) == 0)
            walk(dup(changed), 0, What::kChanges);
        close(changed);
    } else {
        char text[PATH_MAX + 64];
        snprintf(text, sizeof text, "nothing comes out of %s: %s", folder, strerror(errno));
        log_line(UCHRONIA_LOG_WARNING, text);
    }
    send_end();
}

int bring_out_all(const char* path) {
    owner = UCHRONIA_OF_VISIT;
    allow_many_files();
    record_count = 0;
    path_buffer[0] = '\0';
    struct stat status;
    static char real[PATH_MAX];
    if (realpath(path, real) == nullptr || stat(real, &status) != 0) {
        dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    // A file comes out under its name.
    char* const name = S_ISDIR(status.st_mode) ? nullptr : strrchr(real, '/') + 1;
    if (name != nullptr) {
        strcpy(path_buffer, name);
        name[0] = '\0';
    }
    const int folder = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || fchdir(folder) != 0) {
        dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    if (name != nullptr)
        walk_file(folder, path_buffer, What::kAll);
    else
        walk(folder, 0, What::kAll);
    send_end();
    return 0;
}

}  // namespace uchronia::agent
