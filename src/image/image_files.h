// The files of an image, as a guest sees them: a manifest answers what there is, a content store
// what is in it. The chunks that were read last are kept unpacked, so that reading a part of a file
// costs no more than its chunks, once.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "history/content_store.h"
#include "host/file_source.h"
#include "host/recent_cache.h"
#include "image/manifest.h"

namespace uchronia::image {

class ImageFiles final : public host::FileSource {
  public:
    ImageFiles(std::shared_ptr<const Manifest> manifest, history::ContentStore store);

    host::FileResult<host::FileAttributes> attributes(const std::string& path) override;
    host::FileResult<std::shared_ptr<const host::DirectoryListing>> list(
        const std::string& path) override;
    // Content that the store has not got is EIO.
    host::FileResult<u64> read(const std::string& path, u64 offset, std::span<u8> bytes) override;
    host::FileResult<std::string> read_link(const std::string& path) override;

    const Manifest& manifest() const { return *manifest_; }

  private:
    using Chunk = std::shared_ptr<const std::vector<u8>>;

    Chunk chunk(Digest digest);
    host::DirectoryListing children_of(const std::string& path) const;

    std::shared_ptr<const Manifest> manifest_;
    history::ContentStore store_;
    host::RecentCache<Chunk> chunks_;
    host::RecentCache<std::shared_ptr<const host::DirectoryListing>> listings_;
};

}  // namespace uchronia::image
