#include "image/chunk_writer.h"

#include <algorithm>

namespace uchronia::image {
namespace {

Error too_large() {
    return Error{"a file in it is larger than " + std::to_string(kLargestFile >> 30) + " GiB"};
}

}  // namespace

Status ChunkWriter::append(std::span<const u8> bytes) {
    if (bytes.size() > kLargestFile - size_)
        return too_large();
    size_ += bytes.size();
    while (!bytes.empty()) {
        const u64 count = std::min<u64>(bytes.size(), kChunkSize - chunk_.size());
        chunk_.insert(chunk_.end(), bytes.begin(), bytes.begin() + static_cast<i64>(count));
        bytes = bytes.subspan(count);
        if (chunk_.size() != kChunkSize)
            continue;
        if (Status status = put(); !status)
            return status;
    }
    return {};
}

Status ChunkWriter::append_zeros(u64 count) {
    if (count > kLargestFile - size_)
        return too_large();
    size_ += count;
    while (count != 0) {
        const u64 part = std::min(count, kChunkSize - chunk_.size());
        chunk_.resize(chunk_.size() + part);
        count -= part;
        if (chunk_.size() != kChunkSize)
            continue;
        if (Status status = put(); !status)
            return status;
    }
    return {};
}

Status ChunkWriter::finish(Entry& entry) {
    if (!chunk_.empty()) {
        if (Status status = put(); !status)
            return status;
    }
    entry.attributes.size = std::exchange(size_, 0);
    entry.chunks = std::exchange(digests_, {});
    return {};
}

Status ChunkWriter::put() {
    const Digest digest = digest_of(std::span<const u8>(chunk_));
    const bool is_repeated = !digests_.empty() && digests_.back() == digest;
    digests_.push_back(digest);
    const Status status = is_repeated ? Status() : store_.put(digest, chunk_);
    chunk_.clear();
    return status;
}

}  // namespace uchronia::image
