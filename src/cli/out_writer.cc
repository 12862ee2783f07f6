#include "cli/out_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "cli/message.h"
#include "host/files.h"
#include "host/open_beneath.h"
#include "host/plain_path.h"

namespace uchronia::cli {
namespace {

constexpr std::size_t kNamesKept = 3;
constexpr u32 kFileModes = 0777;
constexpr u32 kFolderModes = 01777;

void note(const std::string& path, u64& count, std::vector<std::string>& names) {
    ++count;
    if (names.size() < kNamesKept)
        names.push_back(printable(path));
}

std::string name_in(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

Result<std::unique_ptr<OutWriter>> OutWriter::create(const std::string& folder, OutLimits limits) {
    std::string path = folder;
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    const std::size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (path.empty())
        return Error{"--out: name a folder"};
    if (host::exists(path) && !host::is_directory(path))
        return Error{"--out: " + path + " is there and is no folder; name another"};
    if (!host::exists(path) && !host::is_directory(parent))
        return Error{"--out: there is no folder " + parent + " to make " + path + " in"};
    const std::string& written = host::exists(path) ? path : parent;
    if (::access(written.c_str(), W_OK | X_OK) != 0)
        return Error{"--out: nothing can be written to " + written + ": " +
                     std::generic_category().message(errno)};
    return std::unique_ptr<OutWriter>(new OutWriter(path, limits));
}

void OutWriter::fail(const std::string& why) {
    if (!error_)
        error_ = Error{"not all files came out to " + folder_ + ": " + why};
}

void OutWriter::fail_at(const std::string& path, int error) {
    std::string remedy;
    if (error == EISDIR || error == ENOTDIR || error == EEXIST || error == ELOOP)
        remedy =
            "; something else of that name is in its place or on the way there: take it away, "
            "or name another folder";
    fail(printable(path) + ": " + std::generic_category().message(error) + remedy);
}

Status OutWriter::open_root() {
    if (root_)
        return {};
    if (Status status = host::create_directories(folder_); !status)
        return status;
    root_ = host::FileDescriptor(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root_)
        return Error{std::generic_category().message(errno)};
    return {};
}

void OutWriter::receive(std::span<const u8> bytes) {
    if (!error_ && !bytes.empty()) {
        if (Status status = open_root(); !status)
            fail(status.error().message);
    }
    while (!error_ && !bytes.empty()) {
        if (summary_.is_complete)
            return fail("the guest sent more after the end");
        if (data_left_ != 0) {
            const u64 count = std::min<u64>(data_left_, bytes.size());
            take_data(bytes.first(count));
            bytes = bytes.subspan(count);
            continue;
        }
        // The header first, which tells how much text follows.
        u64 wanted = sizeof record_;
        if (head_.size() >= sizeof record_) {
            std::memcpy(&record_, head_.data(), sizeof record_);
            wanted += record_.text_size;
        }
        const u64 count = std::min<u64>(wanted - head_.size(), bytes.size());
        head_.insert(head_.end(), bytes.begin(), bytes.begin() + static_cast<i64>(count));
        bytes = bytes.subspan(count);
        if (head_.size() < sizeof record_)
            continue;
        std::memcpy(&record_, head_.data(), sizeof record_);
        if (record_.text_size > UCHRONIA_FILE_LONGEST_TEXT)
            return fail("the guest sent a text that is too long");
        if (head_.size() == sizeof record_ + record_.text_size) {
            take_record();
            head_.clear();
        }
    }
}

void OutWriter::take_record() {
    if (++records_ > limits_.records)
        return fail("there are too many files; bring out a smaller folder (--out GUESTDIR=DIR)");
    const std::string text(head_.begin() + sizeof record_, head_.end());
    const bool has_path = record_.kind != UCHRONIA_FILE_DATA && record_.kind != UCHRONIA_FILE_END;
    if (has_path ? !host::is_plain_relative(text.substr(0, text.find('\0'))) : !text.empty())
        return fail("the guest sent a path that is none");
    if (record_.kind != UCHRONIA_FILE_SYMLINK && text.find('\0') != std::string::npos)
        return fail("the guest sent a path that is none");
    if (record_.kind != UCHRONIA_FILE_DATA)
        close_file();
    switch (record_.kind) {
        case UCHRONIA_FILE_FOLDER:
            return make_folder(text);
        case UCHRONIA_FILE_REGULAR:
            return make_file(text);
        case UCHRONIA_FILE_DATA:
            return begin_data();
        case UCHRONIA_FILE_SYMLINK:
            return make_link(text);
        case UCHRONIA_FILE_REMOVED:
            return note(text, summary_.removed, summary_.removed_names);
        case UCHRONIA_FILE_OTHER:
            return note(text, summary_.others, summary_.other_names);
        case UCHRONIA_FILE_END:
            return finish();
        default:
            return fail("the guest sent a record of an unknown kind");
    }
}

std::optional<host::FileDescriptor> OutWriter::parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
    host::FileResult<host::FileDescriptor> parent =
        host::open_beneath(root_, folder, O_RDONLY | O_DIRECTORY);
    if (parent.ok())
        return std::move(*parent);
    fail_at(path, parent.error());
    return std::nullopt;
}

void OutWriter::make_folder(const std::string& path) {
    path_bytes_ += path.size();
    if (path_bytes_ > limits_.path_bytes)
        return fail("there are too many folders; bring out a smaller one (--out GUESTDIR=DIR)");
    const std::optional<host::FileDescriptor> parent = parent_of(path);
    if (!parent)
        return;
    const std::string name = name_in(path);
    if (::mkdirat(parent->number(), name.c_str(), 0700) == 0) {
        ++summary_.folders;
        new_folders_.push_back({path, record_.mode & kFolderModes});
        return;
    }
    struct stat status {};
    const int error = errno;
    const bool is_there =
        error == EEXIST &&
        ::fstatat(parent->number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(status.st_mode);
    if (!is_there)
        fail_at(path, error);
}

// Takes away a file that has the path; a folder stays, and is a failure.
bool OutWriter::make_room(const host::FileDescriptor& parent, const std::string& path) {
    if (::unlinkat(parent.number(), name_in(path).c_str(), 0) == 0 || errno == ENOENT)
        return true;
    fail_at(path, errno == EPERM ? EISDIR : errno);
    return false;
}

void OutWriter::make_file(const std::string& path) {
    const u64 size = record_.size;
    if (size > limits_.bytes || summary_.bytes + size > limits_.bytes)
        return fail(printable(path) + " makes them larger than " +
                    std::to_string(limits_.bytes >> 20) +
                    " MiB in all; bring out a smaller folder (--out GUESTDIR=DIR)");
    const std::optional<host::FileDescriptor> parent = parent_of(path);
    if (!parent || !make_room(*parent, path))
        return;
    file_ =
        host::FileDescriptor(::openat(parent->number(), name_in(path).c_str(),
                                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file_ || ::ftruncate(file_.number(), static_cast<off_t>(size)) != 0)
        return fail_at(path, errno);
    file_path_ = path;
    file_size_ = size;
    file_mode_ = record_.mode & kFileModes;
    summary_.bytes += size;
    ++summary_.files;
}

void OutWriter::make_link(const std::string& text) {
    const std::size_t end = text.find('\0');
    const std::string path = text.substr(0, end);
    const std::string target = end == std::string::npos ? "" : text.substr(end + 1);
    if (target.empty() || target.size() > host::kLongestPath ||
        target.find('\0') != std::string::npos)
        return fail("the guest sent a symbolic link that is none");
    const std::optional<host::FileDescriptor> parent = parent_of(path);
    if (!parent || !make_room(*parent, path))
        return;
    if (::symlinkat(target.c_str(), parent->number(), name_in(path).c_str()) != 0)
        return fail_at(path, errno);
    ++summary_.links;
}

void OutWriter::begin_data() {
    if (!file_ || record_.offset > file_size_ || record_.size > file_size_ - record_.offset)
        return fail("the guest sent data that belong to no file");
    data_left_ = record_.size;
    data_offset_ = record_.offset;
}

void OutWriter::take_data(std::span<const u8> bytes) {
    data_left_ -= bytes.size();
    while (!bytes.empty()) {
        const ssize_t count =
            ::pwrite(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(data_offset_));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return fail_at(file_path_, count == 0 ? ENOSPC : errno);
        bytes = bytes.subspan(static_cast<u64>(count));
        data_offset_ += static_cast<u64>(count);
    }
}

void OutWriter::close_file() {
    if (!file_)
        return;
    if (::fchmod(file_.number(), file_mode_) != 0)
        fail_at(file_path_, errno);
    file_ = host::FileDescriptor();
}

// Folders get their modes last, as one that may not be written could not be filled.
void OutWriter::finish() {
    if (record_.size != records_ - 1)
        return fail("the guest says that it sent another number of records");
    for (auto folder = new_folders_.rbegin(); folder != new_folders_.rend(); ++folder) {
        const host::FileResult<host::FileDescriptor> opened =
            host::open_beneath(root_, folder->path, O_RDONLY | O_DIRECTORY);
        if (!opened.ok() || ::fchmod(opened->number(), folder->mode) != 0)
            return fail_at(folder->path, opened.ok() ? errno : opened.error());
    }
    summary_.is_complete = true;
}

}  // namespace uchronia::cli
