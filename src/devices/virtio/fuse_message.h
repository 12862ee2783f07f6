// Reading arguments of, and writing payload to, FUSE messages.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/types.h"

namespace uchronia::devices::fuse {

// The structure at the start of the arguments; what the message does not have reads as zero.
template <class T>
T argument(std::span<const u8> arguments) {
    T value{};
    std::memcpy(&value, arguments.data(), std::min(sizeof value, arguments.size()));
    return value;
}

// The arguments as one string that ends with its first NUL; nothing if there is none.
inline std::optional<std::string> name_argument(std::span<const u8> arguments) {
    const auto end = std::find(arguments.begin(), arguments.end(), u8{0});
    if (end == arguments.end())
        return std::nullopt;
    return std::string(arguments.begin(), end);
}

inline void append_bytes(std::vector<u8>& reply, const void* data, u64 size) {
    const u8* const first = static_cast<const u8*>(data);
    reply.insert(reply.end(), first, first + size);
}

template <class T>
void append(std::vector<u8>& reply, const T& value) {
    append_bytes(reply, &value, sizeof value);
}

}  // namespace uchronia::devices::fuse
