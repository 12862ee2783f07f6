#include "host/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <optional>
#include <system_error>

namespace uchronia::host {
namespace {

constexpr std::size_t kOpenFileCount = 64;
constexpr std::size_t kListingCount = 8;
constexpr int kMaximumLinks = 40;  // As the kernel's limit on a path.

// A directory's size tells of the host's file system; one page is what most of them say.
constexpr u64 kDirectorySize = 4096;
constexpr FileAttributes kOnTheWayAttributes{.mode = S_IFDIR | 0755, .size = kDirectorySize};

bool is_below(const std::string& path, const std::string& directory) {
    if (directory == "/")
        return path.size() > 1;
    return path.size() > directory.size() && path.starts_with(directory) &&
           path[directory.size()] == '/';
}

std::string child_of(const std::string& directory, std::string_view name) {
    std::string path = directory == "/" ? directory : directory + "/";
    return path.append(name);
}

// Whether it has the form that FileSource asks for. Nothing else gets to the host.
bool is_plain(const std::string& path) {
    if (path.empty() || path[0] != '/' || path.find('\0') != std::string::npos)
        return false;
    if (path == "/")
        return true;
    const std::string delimited = path + "/";
    return delimited.find("//") == std::string::npos &&
           delimited.find("/./") == std::string::npos &&
           delimited.find("/../") == std::string::npos;
}

// The path without empty and "." components, and with each ".." resolved by dropping its parent.
std::string normalised(const std::string& path) {
    std::vector<std::string> components;
    std::string::size_type start = 0;
    while (start < path.size()) {
        const std::string::size_type end = std::min(path.find('/', start), path.size());
        const std::string name = path.substr(start, end - start);
        if (name == ".." && !components.empty())
            components.pop_back();
        else if (!name.empty() && name != "." && name != "..")
            components.push_back(name);
        start = end + 1;
    }
    std::string result;
    for (const std::string& name : components)
        result += "/" + name;
    return result.empty() ? "/" : result;
}

std::string message_of(const std::string& path, int error) {
    return "shared folder " + path + ": " + std::generic_category().message(error);
}

struct DirectoryCloser {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

std::vector<std::string> default_hidden_paths() {
    return {"/etc/shadow*",          "/etc/gshadow*",
            "/etc/security/opasswd", "/etc/ssh/ssh_host_*_key",
            "/etc/ssl/private",      "/etc/krb5.keytab"};
}

FileTree::FileTree(FileDescriptor root, std::vector<std::string> hidden, OpenMethod method)
    : root_(std::move(root)),
      method_(method),
      hidden_(std::move(hidden)),
      open_files_(kOpenFileCount),
      listings_(kListingCount) {}

Result<std::unique_ptr<FileTree>> FileTree::create(const FileTreeOptions& options,
                                                   OpenMethod method) {
    FileDescriptor root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root)
        return Error{message_of("/", errno)};
    std::unique_ptr<FileTree> tree(new FileTree(std::move(root), options.hidden, method));
    for (const std::string& path : options.exports) {
        if (path.empty() || path[0] != '/')
            return Error{"shared folder " + path + ": not an absolute path"};
        if (Status added = tree->add_export(path); !added.ok())
            return added.error();
    }
    for (const std::string& path : options.exports_if_present)
        static_cast<void>(tree->add_export(path));
    tree->tidy_exports();
    return tree;
}

// Walks along the path; at the first symbolic link, exports the link and starts again with what it
// leads to.
Status FileTree::add_export(const std::string& path) {
    std::string rest = normalised(path);
    for (int links = 0; links <= kMaximumLinks; ++links) {
        std::optional<std::string> resolved;
        std::string::size_type end = 0;
        while (!resolved && end < rest.size()) {
            end = std::min(rest.find('/', end + 1), rest.size());
            const std::string prefix = rest.substr(0, end);
            const FileResult<FileAttributes> found = host_attributes(prefix);
            if (!found.ok())
                return Error{message_of(path, found.error())};
            if (!found->is_symlink())
                continue;
            const FileResult<std::string> target = host_link(prefix);
            if (!target.ok())
                return Error{message_of(path, target.error())};
            exports_.push_back(prefix);
            const std::string base = prefix.substr(0, prefix.rfind('/') + 1);
            resolved =
                normalised(((*target)[0] == '/' ? *target : base + *target) + rest.substr(end));
        }
        if (!resolved) {
            exports_.push_back(rest);
            return {};
        }
        rest = *resolved;
    }
    return Error{message_of(path, ELOOP)};
}

void FileTree::tidy_exports() {
    std::sort(exports_.begin(), exports_.end());
    exports_.erase(std::unique(exports_.begin(), exports_.end()), exports_.end());
    const std::vector<std::string> all = exports_;
    std::erase_if(exports_, [&](const std::string& path) {
        return std::any_of(all.begin(), all.end(),
                           [&](const std::string& other) { return is_below(path, other); });
    });
}

FileTree::Place FileTree::place_of(const std::string& path) const {
    if (!is_plain(path) || is_hidden(path))
        return Place::kNowhere;
    Place place = path == "/" ? Place::kOnTheWay : Place::kNowhere;
    for (const std::string& exported : exports_) {
        if (path == exported || is_below(path, exported))
            return Place::kExported;
        if (is_below(exported, path))
            place = Place::kOnTheWay;
    }
    return place;
}

bool FileTree::is_hidden(const std::string& path) const {
    return std::any_of(hidden_.begin(), hidden_.end(), [&](const std::string& pattern) {
        return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_LEADING_DIR) == 0;
    });
}

FileResult<FileDescriptor> FileTree::open(const std::string& path, int flags) const {
    return open_beneath(root_, path == "/" ? "." : path.substr(1), flags, method_);
}

FileResult<FileAttributes> FileTree::host_attributes(const std::string& path) const {
    const FileResult<FileDescriptor> file = open(path, O_PATH);
    if (!file.ok())
        return FileError{file.error()};
    struct stat status;
    if (::fstat(file->number(), &status) != 0)
        return FileError{errno};
    return FileAttributes{
        .mode = status.st_mode,
        .uid = status.st_uid,
        .gid = status.st_gid,
        .size = S_ISDIR(status.st_mode) ? kDirectorySize : static_cast<u64>(status.st_size),
        .modified_seconds = status.st_mtim.tv_sec,
        .modified_nanoseconds = static_cast<u32>(status.st_mtim.tv_nsec)};
}

FileResult<std::string> FileTree::host_link(const std::string& path) const {
    const FileResult<FileDescriptor> file = open(path, O_PATH);
    if (!file.ok())
        return FileError{file.error()};
    std::string target(PATH_MAX, '\0');
    // An empty path means the link itself (readlink(2)); for anything else it is ENOENT.
    const ssize_t size = ::readlinkat(file->number(), "", target.data(), target.size());
    if (size < 0)
        return FileError{errno == ENOENT ? EINVAL : errno};
    target.resize(static_cast<std::size_t>(size));
    return target;
}

FileResult<DirectoryListing> FileTree::host_listing(const std::string& path) const {
    FileResult<FileDescriptor> file = open(path, O_RDONLY | O_DIRECTORY);
    if (!file.ok())
        return FileError{file.error()};
    const std::unique_ptr<DIR, DirectoryCloser> directory(::fdopendir(file->number()));
    if (!directory)
        return FileError{errno};
    file->release();
    DirectoryListing listing;
    while (true) {
        errno = 0;
        const dirent* const entry = ::readdir(directory.get());
        if (!entry && errno != 0)
            return FileError{errno};
        if (!entry)
            return listing;
        const std::string name = entry->d_name;
        const std::string child = child_of(path, name);
        if (name == "." || name == ".." || is_hidden(child))
            continue;
        u32 type = static_cast<u32>(DTTOIF(entry->d_type));
        if (entry->d_type == DT_UNKNOWN) {
            const FileResult<FileAttributes> found = host_attributes(child);
            type = found.ok() ? found->mode & S_IFMT : 0;
        }
        listing.push_back({name, type});
    }
}

DirectoryListing FileTree::listing_on_the_way(const std::string& path) const {
    const std::size_t start = path == "/" ? 1 : path.size() + 1;
    DirectoryListing listing;
    for (const std::string& exported : exports_) {
        if (!is_below(exported, path))
            continue;
        const std::string child = exported.substr(0, exported.find('/', start));
        const std::string name = child.substr(start);
        // The exports are sorted, but "a-b" sorts before "a/c": look at all names.
        const bool known = std::any_of(listing.begin(), listing.end(),
                                       [&](const DirectoryEntry& e) { return e.name == name; });
        if (known || is_hidden(child))
            continue;
        u32 type = S_IFDIR;
        if (child == exported) {
            const FileResult<FileAttributes> found = host_attributes(child);
            type = found.ok() ? found->mode & S_IFMT : 0;
        }
        listing.push_back({name, type});
    }
    return listing;
}

FileResult<FileAttributes> FileTree::attributes(const std::string& path) {
    switch (place_of(path)) {
        case Place::kNowhere:
            return FileError{ENOENT};
        case Place::kOnTheWay:
            return kOnTheWayAttributes;
        case Place::kExported:
            break;
    }
    return host_attributes(path);
}

FileResult<std::shared_ptr<const DirectoryListing>> FileTree::list(const std::string& path) {
    const Place place = place_of(path);
    if (place == Place::kNowhere)
        return FileError{ENOENT};
    if (const auto* known = listings_.find(path))
        return *known;
    FileResult<DirectoryListing> listing =
        place == Place::kOnTheWay ? listing_on_the_way(path) : host_listing(path);
    if (!listing.ok())
        return FileError{listing.error()};
    std::sort(listing->begin(), listing->end(),
              [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
    return listings_.insert(path, std::make_shared<const DirectoryListing>(std::move(*listing)));
}

FileResult<FileDescriptor> FileTree::open_for_reading(const std::string& path) const {
    // Asked before opening, as opening a device or a pipe may have an effect.
    const FileResult<FileAttributes> found = host_attributes(path);
    if (!found.ok())
        return FileError{found.error()};
    if (!found->is_regular())
        return FileError{found->is_directory() ? EISDIR : found->is_symlink() ? ELOOP : ENXIO};
    return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

FileResult<u64> FileTree::read(const std::string& path, u64 offset, std::span<u8> bytes) {
    const Place place = place_of(path);
    if (place != Place::kExported)
        return FileError{place == Place::kOnTheWay ? EISDIR : ENOENT};
    FileDescriptor* file = open_files_.find(path);
    if (!file) {
        FileResult<FileDescriptor> opened = open_for_reading(path);
        if (!opened.ok())
            return FileError{opened.error()};
        file = &open_files_.insert(path, std::move(*opened));
    }
    return read_at(*file, offset, bytes);
}

FileResult<std::string> FileTree::read_link(const std::string& path) {
    const Place place = place_of(path);
    if (place != Place::kExported)
        return FileError{place == Place::kOnTheWay ? EINVAL : ENOENT};
    return host_link(path);
}

}  // namespace uchronia::host
