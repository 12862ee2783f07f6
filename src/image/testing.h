// For the tests of this folder: a folder that vanishes, and archives made by hand, so that they can
// be as wrong as one likes.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/types.h"

namespace uchronia::image {

class TestFolder {
  public:
    TestFolder() {
        char name[] = "/tmp/uchronia-image-XXXXXX";
        path_ = ::mkdtemp(name);
    }
    ~TestFolder() { std::filesystem::remove_all(path_); }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }
    std::string write(const std::string& name, const std::string& bytes) const {
        const std::string path = path_ + "/" + name;
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }

  private:
    std::string path_;
};

// A tar archive in the POSIX form (IEEE Std 1003.1, pax, "ustar Interchange Format").
class TarWriter {
  public:
    struct Options {
        char type = '0';
        std::string link;
        unsigned mode = 0644;
        unsigned uid = 0;
        unsigned gid = 0;
    };

    TarWriter& add(const std::string& path, const std::string& content, const Options& options) {
        char header[512] = {};
        std::strncpy(header, path.c_str(), 100);
        std::snprintf(header + 100, 8, "%07o", options.mode);
        std::snprintf(header + 108, 8, "%07o", options.uid);
        std::snprintf(header + 116, 8, "%07o", options.gid);
        std::snprintf(header + 124, 12, "%011llo", static_cast<unsigned long long>(content.size()));
        std::snprintf(header + 136, 12, "%011o", 1'700'000'000u);
        header[156] = options.type;
        std::strncpy(header + 157, options.link.c_str(), 100);
        std::memcpy(header + 257, "ustar\00000", 8);
        std::memset(header + 148, ' ', 8);
        unsigned sum = 0;
        for (const char c : header)
            sum += static_cast<u8>(c);
        std::snprintf(header + 148, 8, "%06o", sum);
        bytes_.append(header, sizeof header);
        bytes_ += content;
        bytes_.append((512 - content.size() % 512) % 512, '\0');
        return *this;
    }
    TarWriter& file(const std::string& path, const std::string& content, unsigned mode = 0644) {
        return add(path, content, {.type = '0', .link = {}, .mode = mode});
    }
    TarWriter& folder(const std::string& path) {
        return add(path, "", {.type = '5', .link = {}, .mode = 0755});
    }
    TarWriter& link(const std::string& path, const std::string& target) {
        return add(path, "", {.type = '2', .link = target, .mode = 0777});
    }
    TarWriter& hard_link(const std::string& path, const std::string& target) {
        return add(path, "", {.type = '1', .link = target});
    }
    std::string finish() const { return bytes_ + std::string(1024, '\0'); }

  private:
    std::string bytes_;
};

}  // namespace uchronia::image
