#include "image/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "host/file_descriptor.h"
#include "host/open_beneath.h"
#include "image/chunk_writer.h"

namespace uchronia::image {
namespace {

using host::FileDescriptor;
using host::FileResult;

struct DirectoryCloser {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

class Scan {
  public:
    Scan(std::string folder, const EarlierScan& earlier, const history::ContentStore& store,
         Tree& tree, Work& work)
        : folder_(std::move(folder)),
          earlier_(earlier),
          store_(store),
          writer_(store),
          tree_(tree),
          work_(work),
          user_(::geteuid()),
          group_(::getegid()) {}

    Status run() {
        root_ = FileDescriptor(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        struct stat status {};
        if (!root_ || ::fstat(root_.number(), &status) != 0)
            return failure("", errno);
        device_ = status.st_dev;
        if (Status added = add("", status); !added)
            return added;
        // Not by recursion, as folders may be nested deeply.
        std::vector<std::string> waiting{""};
        while (!waiting.empty()) {
            const std::string path = std::move(waiting.back());
            waiting.pop_back();
            if (Status read = read_folder(path, waiting); !read)
                return read;
        }
        return {};
    }

  private:
    Error failure(const std::string& path, int error) const {
        return Error{"cannot read " + folder_ + path +
                     " for the image: " + std::generic_category().message(error) +
                     (error == EACCES ? "; change its permissions, take it out of the folder, or "
                                        "build the image as a user who may read it"
                                      : "")};
    }

    FileResult<FileDescriptor> open(const std::string& path, int flags) const {
        return host::open_beneath(root_, path.empty() ? "." : path.substr(1), flags);
    }

    Status read_folder(const std::string& path, std::vector<std::string>& waiting) {
        FileResult<FileDescriptor> file = open(path, O_RDONLY | O_DIRECTORY);
        if (!file.ok())
            return failure(path, file.error());
        const std::unique_ptr<DIR, DirectoryCloser> directory(::fdopendir(file->number()));
        if (!directory)
            return failure(path, errno);
        const int number = file->release();
        for (;;) {
            errno = 0;
            const dirent* entry = ::readdir(directory.get());
            if (entry == nullptr)
                return errno == 0 ? Status() : Status(failure(path, errno));
            const std::string name = entry->d_name;
            if (name == "." || name == "..")
                continue;
            const std::string child = path + "/" + name;
            struct stat status {};
            if (::fstatat(number, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
                return failure(child, errno);
            if (Status added = add(child, status); !added)
                return added;
            if (S_ISDIR(status.st_mode) && status.st_dev == device_)
                waiting.push_back(child);
            else if (S_ISDIR(status.st_mode))
                ++work_.skipped_mounts;
        }
    }

    Status add(const std::string& path, const struct stat& status) {
        ++work_.files;
        work_.add(0);
        if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
            ++work_.skipped_devices;
            return {};
        }
        Entry entry{
            .path = path.empty() ? "/" : path,
            .attributes = {.mode = status.st_mode,
                           .uid = owner(status.st_uid, user_),
                           .gid = owner(status.st_gid, group_),
                           .size = S_ISREG(status.st_mode) ? static_cast<u64>(status.st_size) : 0,
                           .modified_seconds = status.st_mtim.tv_sec,
                           .modified_nanoseconds = static_cast<u32>(status.st_mtim.tv_nsec)},
            .target = {},
            .chunks = {}};
        Status done;
        if (S_ISREG(status.st_mode))
            done = add_content(path, status, entry);
        else if (S_ISLNK(status.st_mode))
            done = add_target(path, entry);
        if (!done)
            return done;
        if (Status added = tree_.add(std::move(entry)); !added)
            return Error{"cannot make an image of " + folder_ + ": " + added.error().message};
        return {};
    }

    // Root's own files are root's in any case.
    u32 owner(u32 id, u32 own) const { return user_ != 0 && id == own ? 0 : id; }

    Status add_target(const std::string& path, Entry& entry) {
        const FileResult<FileDescriptor> link = open(path, O_PATH);
        if (!link.ok())
            return failure(path, link.error());
        std::string target(PATH_MAX, '\0');
        const ssize_t size = ::readlinkat(link->number(), "", target.data(), target.size());
        if (size <= 0)
            return failure(path, size == 0 ? EINVAL : errno);
        target.resize(static_cast<std::size_t>(size));
        entry.attributes.size = target.size();
        entry.target = std::move(target);
        return {};
    }

    // A change would have changed the time of change (ctime), which nobody can set.
    bool is_known(const Entry* before, const struct stat& status, const Entry& entry) const {
        return before != nullptr && status.st_ctim.tv_sec < earlier_.begin_seconds - 1 &&
               before->attributes.size == entry.attributes.size &&
               before->attributes.modified_seconds == entry.attributes.modified_seconds &&
               before->attributes.modified_nanoseconds == entry.attributes.modified_nanoseconds &&
               std::all_of(before->chunks.begin(), before->chunks.end(),
                           [&](Digest chunk) { return store_.has(chunk); });
    }

    Status add_content(const std::string& path, const struct stat& status, Entry& entry) {
        const Entry* before =
            earlier_.manifest == nullptr ? nullptr : earlier_.manifest->find(entry.path);
        if (is_known(before, status, entry)) {
            entry.chunks = before->chunks;
            return {};
        }
        const FileResult<FileDescriptor> file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (!file.ok())
            return failure(path, file.error());
        buffer_.resize(kChunkSize);
        for (u64 offset = 0;;) {
            const FileResult<u64> count = host::read_at(*file, offset, buffer_);
            if (!count.ok())
                return failure(path, count.error());
            if (Status put = writer_.append(std::span(buffer_).first(*count)); !put)
                return Error{folder_ + path + ": " + put.error().message};
            work_.add(*count);
            offset += *count;
            if (*count < buffer_.size())
                break;
        }
        return writer_.finish(entry);
    }

    const std::string folder_;
    const EarlierScan earlier_;
    const history::ContentStore& store_;
    ChunkWriter writer_;
    Tree& tree_;
    Work& work_;
    const u32 user_, group_;
    FileDescriptor root_;
    dev_t device_ = 0;
    std::vector<u8> buffer_;
};

}  // namespace

Status add_folder(const std::string& folder, const EarlierScan& earlier,
                  const history::ContentStore& store, Tree& tree, Work& work) {
    tree.begin_layer();
    return Scan(folder, earlier, store, tree, work).run();
}

}  // namespace uchronia::image
