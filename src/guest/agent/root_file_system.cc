#include "guest/agent/root_file_system.h"

#include <errno.h>
#include <fcntl.h>
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

// The overlay's root is its upper folder, whatever the lower layer's says of itself.
void give_upper_the_attributes_of_host() {
    struct stat status;
    require(stat(kHost, &status), "look at", kHost);
    require(chown(kUpper, status.st_uid, status.st_gid), "set the owner of", kUpper);
    require(chmod(kUpper, status.st_mode & 07777), "set the mode of", kUpper);
}

void mount_overlay(bool has_image) {
    mount_host();
    make_directory(kWritable, 0755);
    require(mount("tmpfs", kWritable, "tmpfs", 0, "mode=0755,size=100%"), "mount", kWritable);
    make_directory(kUpper, 0755);
    make_directory(kWork, 0755);
    if (has_image)
        give_upper_the_attributes_of_host();
    make_directory(kRoot, 0755);
    require(mount("overlay", kRoot, "overlay", 0, kOverlayOptions), "mount the overlay");
}

// An image may have anything there, say a symbolic link that would lead out of it.
void make_mount_point(const char* path) {
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        require(unlink(path), "make room for a mount at", path);
    make_directory(path, 0755);
}

void move_kernel_file_systems() {
    for (const char* name : kMoved) {
        char from[32] = "/";
        char to[32] = "/root/";
        strcat(from, name);
        strcat(to, name);
        make_mount_point(to);
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
    for (const char* shared : {"tmp", "var/tmp"}) {
        if (chmod(shared, 01777) != 0)  // a link that leads nowhere yet, say
            log_line(UCHRONIA_LOG_INFO, shared);
    }
}

struct SmallFile {
    const char* path;
    const char* text;
};
constexpr SmallFile kContainerFiles[] = {
    {"etc/hosts", "127.0.0.1\tlocalhost uchronia\n::1\tlocalhost ip6-localhost ip6-loopback\n"},
    {"etc/hostname", "uchronia\n"},
    {"etc/resolv.conf", "# There is no network but loopback.\n"},
};

// What a container gets besides its image. Nothing depends on it: an image whose /etc is no folder
// goes without.
void make_container_files() {
    const mode_t mask = umask(0);
    struct stat status;
    if (lstat("tmp", &status) != 0)
        make_directory("tmp", 01777);
    umask(mask);
    if (lstat("etc", &status) != 0)
        make_directory("etc", 0755);
    if (lstat("etc", &status) != 0 || !S_ISDIR(status.st_mode))
        return;
    for (const SmallFile& small : kContainerFiles) {
        const bool is_there = lstat(small.path, &status) == 0;
        if (is_there && (!S_ISREG(status.st_mode) || status.st_size != 0))
            continue;
        const int file = open(small.path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (file < 0 || write(file, small.text, strlen(small.text)) < 0)
            log_line(UCHRONIA_LOG_INFO, small.path);
        close(file);
    }
}

int open_folder(const char* path) {
    return static_cast<int>(require(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open", path));
}

}  // namespace

RootFolders enter_root_file_system(const guest::RunDescription& run) {
    const bool has_image = (run.flags & UCHRONIA_RUN_HAS_IMAGE) != 0;
    mount_overlay(has_image);
    const RootFolders folders{.host = open_folder(kHost), .upper = open_folder(kUpper)};
    move_kernel_file_systems();
    require(chdir(kRoot), "enter the new root");
    if (has_image)
        make_container_files();
    else
        make_usual_folders();
    if (!has_image && !guest::run_uses_folder(run, "/tmp"))
        require(mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "mount /tmp");
    require(mount(".", "/", nullptr, MS_MOVE, nullptr), "move the new root");
    require(chroot("."), "change to the new root");
    require(chdir("/"), "enter the new root");
    return folders;
}

}  // namespace uchronia::agent
