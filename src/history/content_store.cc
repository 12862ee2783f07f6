#include "history/content_store.h"

#include "history/compression.h"
#include "host/files.h"

namespace uchronia::history {
namespace {

constexpr char kVersionFolder[] = "/v1/";
constexpr u64 kLargestContent = u64{1} << 30;  // bytes

std::optional<std::vector<u8>> unpack(std::span<const u8> stored, Digest digest) {
    const std::optional<u64> size = content_size_of(stored);
    if (!size || *size > kLargestContent)
        return std::nullopt;
    std::optional<std::vector<u8>> content = decompress(stored, *size);
    if (!content || digest_of(*content) != digest)
        return std::nullopt;
    return content;
}

}  // namespace

std::string ContentStore::path_of(Digest digest) const {
    const std::string name = to_hex(digest);
    return folder_ + kVersionFolder + name.substr(0, 2) + "/" + name + ".zst";
}

bool ContentStore::has(Digest digest) const {
    return host::refresh_cached_file(path_of(digest));
}

Status ContentStore::put(Digest digest, std::span<const u8> content) const {
    if (has(digest))
        return {};
    const std::string path = path_of(digest);
    if (Status status = host::create_directories(path.substr(0, path.rfind('/'))); !status)
        return status;
    return host::write_cached_file(path, compress(content));
}

std::optional<std::vector<u8>> ContentStore::get(Digest digest) const {
    const std::string path = path_of(digest);
    if (!has(digest))
        return std::nullopt;
    const Result<std::vector<u8>> stored = host::read_file(path);
    if (!stored)
        return std::nullopt;
    std::optional<std::vector<u8>> content = unpack(*stored, digest);
    if (!content)
        static_cast<void>(host::remove_file(path).ok());  // that it stays changes nothing
    return content;
}

}  // namespace uchronia::history
