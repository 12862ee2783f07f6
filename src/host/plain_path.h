// Paths that mean the same everywhere: no "." and "..", no empty names, nothing too long.
#pragma once

#include <algorithm>
#include <string_view>

namespace uchronia::host {

inline constexpr std::size_t kLongestPath = 4095;  // bytes, as PATH_MAX
inline constexpr std::size_t kLongestName = 255;   // as NAME_MAX

// "a/b": a path below some folder.
inline bool is_plain_relative(std::string_view path) {
    if (path.empty() || path.size() > kLongestPath || path.find('\0') != std::string_view::npos)
        return false;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view name = path.substr(begin, end - begin);
        if (name.empty() || name == "." || name == ".." || name.size() > kLongestName)
            return false;
        begin = end + 1;
    }
    return true;
}

// "/a/b", or "/".
inline bool is_plain_absolute(std::string_view path) {
    return path == "/" || (path.size() <= kLongestPath && path.starts_with('/') &&
                           is_plain_relative(path.substr(1)));
}

}  // namespace uchronia::host
