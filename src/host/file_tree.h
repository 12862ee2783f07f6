// A part of the host's file tree, read-only, as a guest sees it.
//
// A set of exported host paths stands under one root, each at its own absolute path. What leads to
// them is shown as directories of our own that hold nothing else. Nothing outside of the exports
// can be reached: no symbolic link is ever followed here (the guest resolves them within the tree),
// and hidden paths do not exist.
//
// Directory listings are sorted. Open files and listings are cached by path; the caches are no
// state. The host's files must not change during a run.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/file_descriptor.h"
#include "host/file_source.h"
#include "host/open_beneath.h"
#include "host/recent_cache.h"

namespace uchronia::host {

struct FileTreeOptions {
    // Absolute paths that must exist. A path that is or leads through a symbolic link exports the
    // link and what it leads to.
    std::vector<std::string> exports{};
    // As `exports`, but what does not exist is left out.
    std::vector<std::string> exports_if_present{};
    // Absolute paths, perhaps with the wildcards of fnmatch(3), which do not exist for the guest,
    // nor does what is below them.
    std::vector<std::string> hidden{};
};

// Passwords and private keys of a usual system.
std::vector<std::string> default_hidden_paths();

class FileTree final : public FileSource {
  public:
    static Result<std::unique_ptr<FileTree>> create(const FileTreeOptions& options,
                                                    OpenMethod method = OpenMethod::kOneCall);

    FileResult<FileAttributes> attributes(const std::string& path) override;
    FileResult<std::shared_ptr<const DirectoryListing>> list(const std::string& path) override;
    FileResult<u64> read(const std::string& path, u64 offset, std::span<u8> bytes) override;
    FileResult<std::string> read_link(const std::string& path) override;

    // The exported paths: sorted, none of them below another.
    const std::vector<std::string>& exports() const { return exports_; }

  private:
    enum class Place {
        kNowhere,   // Outside, or hidden, or not a path.
        kOnTheWay,  // A directory that leads to an export.
        kExported,
    };

    FileTree(FileDescriptor root, std::vector<std::string> hidden, OpenMethod method);

    Status add_export(const std::string& path);
    void tidy_exports();
    Place place_of(const std::string& path) const;
    bool is_hidden(const std::string& path) const;

    FileResult<FileDescriptor> open(const std::string& path, int flags) const;
    FileResult<FileAttributes> host_attributes(const std::string& path) const;
    FileResult<std::string> host_link(const std::string& path) const;
    FileResult<DirectoryListing> host_listing(const std::string& path) const;
    DirectoryListing listing_on_the_way(const std::string& path) const;
    FileResult<FileDescriptor> open_for_reading(const std::string& path) const;

    FileDescriptor root_;
    OpenMethod method_;
    std::vector<std::string> hidden_;
    std::vector<std::string> exports_;
    RecentCache<FileDescriptor> open_files_;
    RecentCache<std::shared_ptr<const DirectoryListing>> listings_;
};

}  // namespace uchronia::host
