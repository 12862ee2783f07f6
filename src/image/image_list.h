// The images that were built: a small file for each in a folder of the cache, which tells its name,
// what it was made of, and its manifest's digest (docs/format-image.md).
//
// An image with a name was built by its name; one without, for a run, by the path of its source.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace uchronia::image {

// What tells that an archive is still the same.
struct SourceStamp {
    u64 size = 0;
    i64 modified_nanoseconds = 0;  // since 1970
    u64 inode = 0;

    bool operator==(const SourceStamp&) const = default;
};

struct ListedImage {
    std::string name;    // empty: none
    std::string source;  // absolute path
    Digest manifest;
    i64 built_seconds = 0;  // when the build began; since 1970
    SourceStamp stamp;      // of an archive
    u64 file_count = 0;
    u64 content_size = 0;  // bytes, before any de-duplication and compression

    bool operator==(const ListedImage&) const = default;
};

class ImageList {
  public:
    explicit ImageList(std::string folder) : folder_(std::move(folder)) {}

    // By name, then by source. Damaged files are left out.
    Result<std::vector<ListedImage>> all() const;
    std::optional<ListedImage> find_name(const std::string& name) const;
    std::optional<ListedImage> find_source(const std::string& source) const;
    // The image that one file of the list tells of.
    static std::optional<ListedImage> read(const std::string& path);
    // Notes that it is used now.
    void note_use(const ListedImage& image) const;
    Status add(const ListedImage& image) const;
    Status remove(const ListedImage& image) const;

    const std::string& folder() const { return folder_; }

  private:
    std::string path_of(const std::string& name, const std::string& source) const;

    std::string folder_;
};

// Of letters, digits and "._-/:@", so that it can be told from an option and printed anywhere.
bool is_image_name(const std::string& name);

// Error: nothing is there, or it cannot be asked.
Result<SourceStamp> stamp_of(const std::string& path);

}  // namespace uchronia::image
