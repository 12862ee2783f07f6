#include "image/image_list.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>
#include <tuple>

#include "history/configuration.h"
#include "host/file_use.h"
#include "host/files.h"
#include "host/plain_path.h"

namespace uchronia::image {
namespace {

using JSON = nlohmann::ordered_json;

constexpr u64 kVersion = 1;

JSON to_json(const ListedImage& image) {
    return {{"version", kVersion},
            {"name", image.name},
            {"source", image.source},
            {"manifest", to_hex(image.manifest)},
            {"built", image.built_seconds},
            {"source_size", image.stamp.size},
            {"source_modified", image.stamp.modified_nanoseconds},
            {"source_inode", image.stamp.inode},
            {"files", image.file_count},
            {"content_size", image.content_size}};
}

template <class T>
bool take(const JSON& json, const char* key, T& value) {
    if (!json.contains(key) || !json[key].is_number_integer())
        return false;
    value = json[key].get<T>();
    return true;
}

bool take(const JSON& json, const char* key, std::string& value) {
    if (!json.contains(key) || !json[key].is_string())
        return false;
    value = json[key].get<std::string>();
    return true;
}

std::optional<ListedImage> from_json(const std::vector<u8>& text) {
    const JSON json = JSON::parse(text.begin(), text.end(), nullptr, false);
    u64 version = 0;
    ListedImage image;
    std::string manifest;
    const bool is_whole =
        json.is_object() && take(json, "version", version) && version == kVersion &&
        take(json, "name", image.name) && take(json, "source", image.source) &&
        take(json, "manifest", manifest) && take(json, "built", image.built_seconds) &&
        take(json, "source_size", image.stamp.size) &&
        take(json, "source_modified", image.stamp.modified_nanoseconds) &&
        take(json, "source_inode", image.stamp.inode) && take(json, "files", image.file_count) &&
        take(json, "content_size", image.content_size);
    const Result<Digest> digest = history::digest_from_hex(manifest);
    if (!is_whole || !digest)
        return std::nullopt;
    image.manifest = *digest;
    return image;
}

}  // namespace

std::string ImageList::path_of(const std::string& name, const std::string& source) const {
    const std::string key = name.empty() ? "source:" + source : "name:" + name;
    return folder_ + "/" + to_hex(digest_of(std::string_view(key))) + ".json";
}

std::optional<ListedImage> ImageList::read(const std::string& path) {
    const Result<std::vector<u8>> text = host::read_file(path);
    return text ? from_json(*text) : std::nullopt;
}

void ImageList::note_use(const ListedImage& image) const {
    host::note_use(path_of(image.name, image.source));
}

Result<std::vector<ListedImage>> ImageList::all() const {
    std::vector<ListedImage> images;
    if (!host::exists(folder_))
        return images;
    const Result<std::vector<host::FolderEntry>> entries = host::list_directory(folder_);
    if (!entries)
        return entries.error();
    for (const host::FolderEntry& entry : *entries) {
        if (!entry.name.ends_with(".json"))
            continue;
        if (std::optional<ListedImage> image = read(folder_ + "/" + entry.name))
            images.push_back(std::move(*image));
    }
    std::sort(images.begin(), images.end(), [](const ListedImage& a, const ListedImage& b) {
        return std::tuple(a.name.empty(), a.name, a.source) <
               std::tuple(b.name.empty(), b.name, b.source);
    });
    return images;
}

std::optional<ListedImage> ImageList::find_name(const std::string& name) const {
    return name.empty() ? std::nullopt : read(path_of(name, ""));
}

std::optional<ListedImage> ImageList::find_source(const std::string& source) const {
    return read(path_of("", source));
}

Status ImageList::add(const ListedImage& image) const {
    if (Status status = host::create_directories(folder_); !status)
        return status;
    const std::string text =
        to_json(image).dump(2, ' ', false, JSON::error_handler_t::replace) + "\n";
    return host::write_file_atomically(path_of(image.name, image.source), text);
}

Status ImageList::remove(const ListedImage& image) const {
    return host::remove_file(path_of(image.name, image.source));
}

bool is_image_name(const std::string& name) {
    const auto is_letter = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    return !name.empty() && name.size() <= host::kLongestName && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return is_letter(c) || std::string_view("._-/:@").find(c) != std::string_view::npos;
           });
}

Result<SourceStamp> stamp_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return Error{"cannot open " + path + ": " + std::generic_category().message(errno)};
    return SourceStamp{
        .size = static_cast<u64>(status.st_size),
        .modified_nanoseconds = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
        .inode = status.st_ino};
}

}  // namespace uchronia::image
