#include "cli/paths.h"

#include <filesystem>

namespace uchronia::cli {

std::string tidy_path(const std::string& path) {
    std::string tidy = std::filesystem::absolute(path).lexically_normal().string();
    while (tidy.size() > 1 && tidy.back() == '/')
        tidy.pop_back();
    return tidy;
}

std::string path_without_links(const std::string& path) {
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(path, error);
    return error ? tidy_path(path) : real.string();
}

}  // namespace uchronia::cli
