// Numbers in the bytes of a file, as targets change them.
#pragma once

#include <cstring>
#include <vector>

#include "base/types.h"

namespace uchronia::fuzz {

template <class T>
T value_at(const std::vector<u8>& bytes, u64 offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}
inline void put(std::vector<u8>& bytes, u64 offset, auto value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
}

}  // namespace uchronia::fuzz
