// Reading numbers and texts out of bytes that may be anything: a file, a guest's memory.
//
// Nothing here reads outside of the bytes; what does not lie in them is not there.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include "base/types.h"

namespace uchronia::profile {

using Bytes = std::span<const u8>;

// [offset, offset + size) of the bytes; empty if that does not lie in them.
inline Bytes part_of(Bytes bytes, u64 offset, u64 size) {
    if (offset > bytes.size() || size > bytes.size() - offset)
        return {};
    return bytes.subspan(offset, size);
}

// A little-endian structure or number at an offset; false if it does not lie in the bytes.
template <class T>
bool load(Bytes bytes, u64 offset, T& value) {
    const Bytes found = part_of(bytes, offset, sizeof value);
    if (found.empty())
        return false;
    std::memcpy(&value, found.data(), sizeof value);
    return true;
}

// The text that ends with a NUL; empty if none ends in the bytes.
inline std::string_view text_at(Bytes bytes, u64 offset) {
    if (offset >= bytes.size())
        return {};
    const Bytes rest = bytes.subspan(offset);
    const auto end = std::find(rest.begin(), rest.end(), u8{0});
    if (end == rest.end())
        return {};
    return {reinterpret_cast<const char*>(rest.data()),
            static_cast<std::size_t>(end - rest.begin())};
}

constexpr u64 align_up(u64 value, u64 alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

}  // namespace uchronia::profile
