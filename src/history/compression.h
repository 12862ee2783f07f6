// Zstandard frames, as the files of this folder use them. A reader trusts no size that a file
// gives.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/types.h"

namespace uchronia::history {

// One frame that says how long its content is.
std::vector<u8> compress(std::span<const u8> content);

// The content of a frame, which must have `size` bytes; nothing if `stored` is no such frame. What
// is allocated is bounded by the size of `stored`.
std::optional<std::vector<u8>> decompress(std::span<const u8> stored, u64 size);

// The size that a frame gives for its content; nothing if `stored` does not begin with one.
std::optional<u64> content_size_of(std::span<const u8> stored);

}  // namespace uchronia::history
