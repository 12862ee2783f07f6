#include "guest/agent/init.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "guest/agent/guest_host.h"

namespace uchronia::agent {
namespace {

struct FileSystem {
    const char* type;
    const char* target;
    unsigned long flags;
    const char* options;
};

// clang-format off
constexpr FileSystem kFileSystems[] = {
    {"proc",     "/proc",          MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
    {"sysfs",    "/sys",           MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
    {"cgroup2",  "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
    {"devtmpfs", "/dev",           MS_NOSUID,                        "mode=0755"},
    {"devpts",   "/dev/pts",       MS_NOSUID | MS_NOEXEC,            "mode=0620,gid=5,ptmxmode=0666"},
    {"tmpfs",    "/dev/shm",       MS_NOSUID | MS_NODEV,             "mode=1777"},
    {"tmpfs",    "/run",           MS_NOSUID | MS_NODEV,             "mode=0755"},
};

struct Link {
    const char* target;
    const char* path;
};
constexpr Link kDeviceLinks[] = {
    {"/proc/self/fd",   "/dev/fd"},
    {"/proc/self/fd/0", "/dev/stdin"},
    {"/proc/self/fd/1", "/dev/stdout"},
    {"/proc/self/fd/2", "/dev/stderr"},
};
// clang-format on

constexpr char kModuleOrder[] = "/modules/order";
constexpr char kHostName[] = "uchronia";

struct Setting {
    const char* path;
    const char* value;
};
constexpr Setting kSettings[] = {
    // Nothing in the guest's kernel log is a secret: any user may read it.
    {"/proc/sys/kernel/dmesg_restrict", "0"},
    // What loads kernel modules for the kernel: this program, see kernel_modules.h.
    {"/proc/sys/kernel/modprobe", "/proc/1/exe"},
};

void load_module(const char* path) {
    const int file =
        static_cast<int>(require(open(path, O_RDONLY | O_CLOEXEC), "open the kernel module", path));
    if (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EEXIST)
        panic("load the kernel module", path);
    close(file);
    unlink(path);  // its memory is better used otherwise
}

}  // namespace

void mount_kernel_file_systems() {
    umask(0);
    for (const FileSystem& fs : kFileSystems) {
        mkdir(fs.target, 0755);  // some are there already
        require(mount(fs.type, fs.target, fs.type, fs.flags, fs.options), "mount", fs.target);
    }
    for (const Link& link : kDeviceLinks)
        require(symlink(link.target, link.path), "create", link.path);
    umask(022);
}

void apply_settings() {
    for (const Setting& setting : kSettings) {
        const int file = static_cast<int>(
            require(open(setting.path, O_WRONLY | O_CLOEXEC), "open", setting.path));
        require(write(file, setting.value, strlen(setting.value)), "write", setting.path);
        close(file);
    }
}

void load_modules() {
    static char list[4096];
    const int file =
        static_cast<int>(require(open(kModuleOrder, O_RDONLY | O_CLOEXEC), "open", kModuleOrder));
    const long size = require(read(file, list, sizeof list - 1), "read", kModuleOrder);
    close(file);
    list[size] = '\0';
    char* rest = nullptr;
    for (char* path = strtok_r(list, "\n", &rest); path != nullptr;
         path = strtok_r(nullptr, "\n", &rest))
        load_module(path);
}

void configure_network_and_name() {
    require(sethostname(kHostName, strlen(kHostName)), "set the host name");
    const int any_socket =
        static_cast<int>(require(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
    ifreq request{};
    strcpy(request.ifr_name, "lo");
    require(ioctl(any_socket, SIOCGIFFLAGS, &request), "find the loopback interface");
    request.ifr_flags |= IFF_UP;
    require(ioctl(any_socket, SIOCSIFFLAGS, &request), "start the loopback interface");
    close(any_socket);
}

}  // namespace uchronia::agent
