// Paths as users write them, and as everything else wants them.
#pragma once

#include <string>

namespace uchronia::cli {

// Absolute, without "." and "..", and without a slash at the end.
std::string tidy_path(const std::string& path);

// As that, and without symbolic links if it exists.
std::string path_without_links(const std::string& path);

}  // namespace uchronia::cli
