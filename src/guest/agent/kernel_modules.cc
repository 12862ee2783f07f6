#include "guest/agent/kernel_modules.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace uchronia::agent {
namespace {

// Of the kernel that has booted, from its modules' folder; not there if depmod has never run.
constexpr char kDeviceNames[] = "/modules/devname";
constexpr char kSuffix[] = ".ko";
constexpr std::size_t kSuffixSize = sizeof kSuffix - 1;
constexpr std::size_t kPathSize = 512;
constexpr std::size_t kNameSize = 128;

void modules_path(char (&path)[kPathSize], const char* file = "") {
    utsname name;
    uname(&name);
    snprintf(path, sizeof path, "/lib/modules/%s%s%s", name.release, *file == '\0' ? "" : "/",
             file);
}

void make_directories(char* path) {
    for (char* slash = path + 1; (slash = strchr(slash, '/')) != nullptr; ++slash) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    mkdir(path, 0755);
}

// The lines of a text file, one after the other, each with a NUL in place of its end.
class Lines {
  public:
    explicit Lines(const char* path) {
        const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
        struct stat status;
        if (descriptor < 0)
            return;
        if (fstat(descriptor, &status) == 0 && status.st_size > 0) {
            const std::size_t size = static_cast<std::size_t>(status.st_size);
            text_ = static_cast<char*>(malloc(size + 1));
            while (text_ != nullptr && size_ < size) {
                const long count = read(descriptor, text_ + size_, size - size_);
                if (count <= 0)
                    break;
                size_ += static_cast<std::size_t>(count);
            }
        }
        close(descriptor);
    }
    ~Lines() { free(text_); }
    Lines(const Lines&) = delete;
    Lines& operator=(const Lines&) = delete;

    char* next() {
        if (at_ >= size_)
            return nullptr;
        char* line = text_ + at_;
        char* end = static_cast<char*>(memchr(line, '\n', size_ - at_));
        if (end == nullptr)
            end = text_ + size_;
        *end = '\0';
        at_ = static_cast<std::size_t>(end - text_) + 1;
        return line;
    }

  private:
    char* text_ = nullptr;
    std::size_t size_ = 0;
    std::size_t at_ = 0;
};

// Names of modules and aliases do not tell dashes from underscores; in a pattern's brackets a dash
// means a range.
void copy_name(char (&name)[kNameSize], const char* from, std::size_t size) {
    size = size < sizeof name ? size : sizeof name - 1;
    bool in_brackets = false;
    for (std::size_t i = 0; i < size; ++i) {
        in_brackets = from[i] == '[' || (in_brackets && from[i] != ']');
        name[i] = from[i] == '-' && !in_brackets ? '_' : from[i];
    }
    name[size] = '\0';
}

// "kernel/drivers/block/loop.ko" is the module loop.
bool is_path_of(const char* path, const char* module) {
    const char* slash = strrchr(path, '/');
    const char* file = slash == nullptr ? path : slash + 1;
    const std::size_t size = strlen(file);
    char name[kNameSize];
    if (size <= kSuffixSize || strcmp(file + size - kSuffixSize, kSuffix) != 0)
        return false;
    copy_name(name, file, size - kSuffixSize);
    return strcmp(name, module) == 0;
}

bool insert(const char* relative_path) {
    char path[kPathSize];
    modules_path(path, relative_path);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    const bool is_there = syscall(SYS_finit_module, file, "", 0) == 0 || errno == EEXIST;
    close(file);
    return is_there;
}

// A line of modules.dep: the module's path, a colon, and what it needs, the first needed last.
bool insert_with_dependencies(char* line) {
    char* const colon = strchr(line, ':');
    while (char* const space = strrchr(colon, ' ')) {
        if (space[1] != '\0' && !insert(space + 1))
            return false;
        *space = '\0';
    }
    *colon = '\0';
    return insert(line);
}

bool load_module_named(const char* module) {
    char path[kPathSize];
    modules_path(path, "modules.dep");
    Lines dependencies(path);
    while (char* const line = dependencies.next()) {
        char* const colon = strchr(line, ':');
        if (colon == nullptr)
            continue;
        *colon = '\0';
        const bool is_it = is_path_of(line, module);
        *colon = ':';
        if (is_it)
            return insert_with_dependencies(line);
    }
    return false;
}

// Devices that ask for capabilities where they are needed, which udev opens to all users too.
bool is_for_all_users(const char* device) {
    return strcmp(device, "fuse") == 0 || strcmp(device, "net/tun") == 0;
}

}  // namespace

void make_device_nodes() {
    Lines devices(kDeviceNames);
    while (const char* const line = devices.next()) {
        char name[kNameSize];
        char type;
        unsigned major_number;
        unsigned minor_number;
        if (sscanf(line, "%*s %127s %c%u:%u", name, &type, &major_number, &minor_number) != 4)
            continue;
        char path[kNameSize + 8] = "/dev/";
        strcat(path, name);
        if (strstr(path, "..") != nullptr)
            continue;
        char* const file = strrchr(path, '/');
        *file = '\0';
        make_directories(path);
        *file = '/';
        const mode_t kind = type == 'b' ? S_IFBLK : S_IFCHR;
        mknod(path, kind | 0600, makedev(major_number, minor_number));  // some are there already
        if (is_for_all_users(name))
            chmod(path, 0666);
    }
}

void offer_kernel_modules(int host, const char* folder) {
    if (*folder == '\0')
        return;
    // The path may lead through a place where the guest has a file system of its own.
    const int source = openat(host, folder + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char source_path[kNameSize];
    char path[kPathSize];
    snprintf(source_path, sizeof source_path, "/proc/self/fd/%d", source);
    modules_path(path);
    make_directories(path);
    if (source >= 0)
        mount(source_path, path, nullptr, MS_BIND, nullptr);
    close(source);
}

int load_kernel_module(const char* alias) {
    char wanted[kNameSize];
    copy_name(wanted, alias, strlen(alias));
    bool loaded = load_module_named(wanted);
    char path[kPathSize];
    modules_path(path, "modules.alias");
    Lines aliases(path);
    while (char* const line = aliases.next()) {
        char pattern_text[kNameSize];
        char module[kNameSize];
        if (sscanf(line, "alias %127s %127s", pattern_text, module) != 2)
            continue;
        char pattern[kNameSize];
        copy_name(pattern, pattern_text, strlen(pattern_text));
        if (fnmatch(pattern, wanted, 0) == 0) {
            copy_name(pattern, module, strlen(module));
            loaded = load_module_named(pattern) || loaded;
        }
    }
    return loaded ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace uchronia::agent
