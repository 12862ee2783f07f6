#include "guest/agent/root_file_system.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/agent/guest_host.h"

namespace uchronia::agent {
namespace {

constexpr char kHost[] = "/host";
constexpr char kHostTag[] = "host";  // of the file-sharing device
constexpr char kWritable[] = "/writable";
constexpr char kUpper[] = "/writable/upper";
constexpr char kWork[] = "/writable/work";
constexpr char kRoot[] = "/root";

// Renaming folders works (redirect_dir), and inode numbers stay when a file is first written
// (xino).
constexpr char kOverlayOptions[] =
    "lowerdir=/host,upperdir=/writable/upper,workdir=/writable/work,redirect_dir=on,xino=on";

// Mount points that move to the new root, outermost first.
constexpr const char* kMoved[] = {"proc", "sys", "dev", "run"};

void make_directory(const char* path, mode_t mode) {
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        panic("create the folder", path);
}

void mount_host() {
    make_directory(kHost, 0755);
    if (on_uchronia())
        require(mount(kHostTag, kHost, "virtiofs", MS_RDONLY, nullptr), "mount the host's files");
}

void mount_overlay() {
    mount_host();
    make_directory(kWritable, 0755);
    require(mount("tmpfs", kWritable, "tmpfs", 0, "mode=0755,size=100%"), "mount", kWritable);
    make_directory(kUpper, 0755);
    make_directory(kWork, 0755);
    make_directory(kRoot, 0755);
    require(mount("overlay", kRoot, "overlay", 0, kOverlayOptions), "mount the overlay");
}

void move_kernel_file_systems() {
    for (const char* name : kMoved) {
        char from[32] = "/";
        char to[32] = "/root/";
        strcat(from, name);
        strcat(to, name);
        make_directory(to, 0755);
        require(mount(from, to, nullptr, MS_MOVE, nullptr), "move", from);
    }
}

// Folders that programs expect, where the host's tree does not show them. Where it shows no more
// than the way to a shared folder, everybody's folders are everybody's all the same.
void make_usual_folders() {
    make_directory("tmp", 0755);
    make_directory("root", 0700);
    make_directory("var", 0755);
    make_directory("var/tmp", 0755);
    for (const char* shared : {"tmp", "var/tmp"})
        require(chmod(shared, 01777), "open to all users the folder", shared);
}

}  // namespace

void enter_root_file_system(const guest::RunDescription& run) {
    mount_overlay();
    move_kernel_file_systems();
    require(chdir(kRoot), "enter the new root");
    make_usual_folders();
    if (!guest::run_uses_folder(run, "/tmp"))
        require(mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "mount /tmp");
    require(mount(".", "/", nullptr, MS_MOVE, nullptr), "move the new root");
    require(chroot("."), "change to the new root");
    require(chdir("/"), "enter the new root");
}

}  // namespace uchronia::agent
