#include "history/compression.h"

#include <zstd.h>

#include "base/check.h"

namespace uchronia::history {
namespace {

constexpr int kCompressionLevel = 3;
// A block of a frame is 4 bytes at least and holds 128 KiB at most (RFC 8878, section 3.1.1.2).
constexpr u64 kMostExpansion = u64{128} << 10;

}  // namespace

std::vector<u8> compress(std::span<const u8> content) {
    std::vector<u8> stored(ZSTD_compressBound(content.size()));
    const std::size_t size = ZSTD_compress(stored.data(), stored.size(), content.data(),
                                           content.size(), kCompressionLevel);
    CHECK(ZSTD_isError(size) == 0);
    stored.resize(size);
    return stored;
}

std::optional<u64> content_size_of(std::span<const u8> stored) {
    const unsigned long long size = ZSTD_getFrameContentSize(stored.data(), stored.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
        return std::nullopt;
    return size;
}

std::optional<std::vector<u8>> decompress(std::span<const u8> stored, u64 size) {
    if (content_size_of(stored) != size || size / kMostExpansion > stored.size())
        return std::nullopt;
    std::vector<u8> content(size);
    const std::size_t got =
        ZSTD_decompress(content.data(), content.size(), stored.data(), stored.size());
    if (ZSTD_isError(got) != 0 || got != size)
        return std::nullopt;
    return content;
}

}  // namespace uchronia::history
