// Brings the content of one file at a time into a content store, in chunks of kChunkSize.
#pragma once

#include <span>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "history/content_store.h"
#include "image/manifest.h"

namespace uchronia::image {

class ChunkWriter {
  public:
    // `store` must outlive this.
    explicit ChunkWriter(const history::ContentStore& store) : store_(store) {}

    Status append(std::span<const u8> bytes);
    Status append_zeros(u64 count);
    u64 size() const { return size_; }

    // Gives the entry of a regular file all that was appended, as its size and its chunks; the next
    // file begins.
    Status finish(Entry& entry);

  private:
    Status put();

    const history::ContentStore& store_;
    std::vector<u8> chunk_;
    std::vector<Digest> digests_;
    u64 size_ = 0;
};

}  // namespace uchronia::image
