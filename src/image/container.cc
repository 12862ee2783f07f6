#include "image/container.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "host/files.h"
#include "host/open_beneath.h"
#include "image/archive_reader.h"

namespace uchronia::image {
namespace {

using JSON = nlohmann::json;

constexpr u64 kLargestJSON = u64{1} << 24;
constexpr std::size_t kMostLayers = 1024;
constexpr int kMostIndexes = 8;  // an index may name an index

constexpr char kDockerManifest[] = "manifest.json";
constexpr char kLayoutMark[] = "oci-layout";
constexpr char kLayoutIndex[] = "index.json";

// Gives a member by its name; nothing if there is none.
using FindMember = std::function<std::optional<Blob>(const std::string&)>;

// "./a//b" is "a/b".
std::string normalised(const std::string& path) {
    std::string result;
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string name = path.substr(begin, end - begin);
        if (name == "..")
            result.erase(result.rfind('/') == std::string::npos ? 0 : result.rfind('/'));
        else if (!name.empty() && name != ".")
            result += (result.empty() ? "" : "/") + name;
        begin = end + 1;
    }
    return result;
}

// --- What such an image says of itself. ---

class Parser {
  public:
    Parser(std::string source, FindMember find)
        : source_(std::move(source)), find_(std::move(find)) {}

    Result<Container> docker() {
        const Result<JSON> list = json(kDockerManifest);
        if (!list)
            return list.error();
        if (!list->is_array() || list->empty())
            return wrong("its manifest.json names no image");
        if (list->size() != 1)
            return wrong("it has " + std::to_string(list->size()) +
                         " images; save the one that is to be run alone ('docker save IMAGE')");
        const JSON& image = list->front();
        Container container;
        container.name = first_string(image, "RepoTags");
        for (const std::string& layer : strings(image, "Layers")) {
            if (Status status = add_layer(normalised(layer), container); !status)
                return status.error();
        }
        return with_configuration(std::move(container), normalised(string(image, "Config")));
    }

    Result<Container> layout() {
        JSON descriptor;
        std::string name = kLayoutIndex;
        for (int depth = 0;; ++depth) {
            const Result<JSON> index = json(name);
            if (!index)
                return index.error();
            if (depth != 0 && !index->contains("manifests"))
                return from_manifest(*index, label_of(descriptor));
            if (depth == kMostIndexes)
                return wrong("its indexes are nested too deeply");
            const Result<JSON> chosen = choose(*index);
            if (!chosen)
                return chosen.error();
            if (label_of(*chosen).empty() && descriptor.is_object() &&
                descriptor.contains("annotations")) {
                const JSON annotations = descriptor["annotations"];
                descriptor = *chosen;
                descriptor["annotations"] = annotations;
            } else {
                descriptor = *chosen;
            }
            const Result<std::string> path = path_of(descriptor);
            if (!path)
                return path.error();
            name = *path;
        }
    }

  private:
    Error wrong(const std::string& why) const {
        return Error{"cannot make an image of " + source_ + ": " + why};
    }

    static std::string string(const JSON& object, const char* key) {
        const bool is_there = object.is_object() && object.contains(key) && object[key].is_string();
        return is_there ? object[key].get<std::string>() : "";
    }

    static std::vector<std::string> strings(const JSON& object, const char* key) {
        std::vector<std::string> list;
        if (!object.is_object() || !object.contains(key) || !object[key].is_array())
            return list;
        for (const JSON& text : object[key]) {
            if (text.is_string())
                list.push_back(text.get<std::string>());
        }
        return list;
    }

    static std::string first_string(const JSON& object, const char* key) {
        const std::vector<std::string> list = strings(object, key);
        return list.empty() ? "" : list.front();
    }

    static std::string label_of(const JSON& descriptor) {
        if (!descriptor.is_object() || !descriptor.contains("annotations"))
            return "";
        const JSON& annotations = descriptor["annotations"];
        const std::string full = string(annotations, "io.containerd.image.name");
        return full.empty() ? string(annotations, "org.opencontainers.image.ref.name") : full;
    }

    Result<JSON> json(const std::string& name) const {
        const std::optional<Blob> blob = find_(name);
        if (!blob)
            return wrong("it has no " + name + "; it may be incomplete: save or get it again");
        const Result<std::vector<u8>> bytes = read_blob(*blob, kLargestJSON);
        if (!bytes)
            return bytes.error();
        JSON parsed = JSON::parse(bytes->begin(), bytes->end(), nullptr, false);
        if (parsed.is_discarded())
            return wrong("its " + name + " is no JSON; it may be damaged: save or get it again");
        return parsed;
    }

    // "sha256:ab..." lies in "blobs/sha256/ab...".
    Result<std::string> path_of(const JSON& descriptor) const {
        const std::string digest = string(descriptor, "digest");
        const std::size_t colon = digest.find(':');
        const auto is_plain = [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        };
        if (colon == std::string::npos || colon == 0 || colon + 1 == digest.size() ||
            !std::all_of(digest.begin(), digest.begin() + static_cast<i64>(colon), is_plain) ||
            !std::all_of(digest.begin() + static_cast<i64>(colon) + 1, digest.end(), is_plain))
            return wrong("it names a part by the digest '" + digest.substr(0, 100) +
                         "', which is none");
        return "blobs/" + digest.substr(0, colon) + "/" + digest.substr(colon + 1);
    }

    // The one for Linux on AMD64; one that does not say what it is for will do.
    Result<JSON> choose(const JSON& index) const {
        std::vector<JSON> fitting;
        const JSON empty = JSON::array();
        const bool has_list =
            index.is_object() && index.contains("manifests") && index["manifests"].is_array();
        for (const JSON& descriptor : has_list ? index["manifests"] : empty) {
            if (!descriptor.is_object())
                continue;
            if (!descriptor.contains("platform") ||
                (string(descriptor["platform"], "os") == "linux" &&
                 string(descriptor["platform"], "architecture") == "amd64"))
                fitting.push_back(descriptor);
        }
        if (fitting.empty())
            return wrong("it has no image for Linux on AMD64");
        if (fitting.size() != 1) {
            std::string names;
            for (const JSON& descriptor : fitting)
                names += " " + label_of(descriptor).substr(0, 100);
            return wrong("it has " + std::to_string(fitting.size()) + " images (" + names +
                         " ); save the one that is to be run alone");
        }
        return fitting.front();
    }

    Result<Container> from_manifest(const JSON& manifest, const std::string& name) {
        Container container;
        container.name = name;
        const JSON empty = JSON::array();
        const bool has_layers = manifest.contains("layers") && manifest["layers"].is_array();
        for (const JSON& layer : has_layers ? manifest["layers"] : empty) {
            const Result<std::string> path = path_of(layer);
            if (!path)
                return path.error();
            if (Status status = add_layer(*path, container); !status)
                return status.error();
        }
        if (!manifest.contains("config"))
            return wrong("its manifest names no configuration");
        const Result<std::string> path = path_of(manifest["config"]);
        if (!path)
            return path.error();
        return with_configuration(std::move(container), *path);
    }

    Status add_layer(const std::string& name, Container& container) const {
        std::optional<Blob> blob = find_(name);
        if (!blob)
            return wrong("its layer " + name +
                         " is missing; it may be incomplete: save or get it again");
        if (container.layers.size() == kMostLayers)
            return wrong("it has more than " + std::to_string(kMostLayers) + " layers");
        container.layers.push_back(std::move(*blob));
        return {};
    }

    // OCI image specification 1.0, config.md; Docker's is the same.
    Result<Container> with_configuration(Container container, const std::string& name) const {
        const Result<JSON> file = json(name);
        if (!file)
            return file.error();
        const std::string architecture = string(*file, "architecture");
        if (!architecture.empty() && architecture != "amd64")
            return wrong("it is for " + architecture.substr(0, 40) + ", and the guest is an AMD64");
        const JSON empty = JSON::object();
        const JSON& json =
            file->is_object() && file->contains("config") ? (*file)["config"] : empty;
        container.configuration = {.entrypoint = strings(json, "Entrypoint"),
                                   .command = strings(json, "Cmd"),
                                   .environment = strings(json, "Env"),
                                   .working_directory = string(json, "WorkingDir"),
                                   .user = string(json, "User")};
        return container;
    }

    const std::string source_;
    const FindMember find_;
};

Result<std::optional<Container>> parse(const std::string& source, const FindMember& find) {
    Result<Container> container =
        find(kDockerManifest) ? Parser(source, find).docker() : Parser(source, find).layout();
    if (!container)
        return container.error();
    return std::optional(std::move(*container));
}

// --- Archives: their members, in one file that has no name. ---

// Whether an archive that has it at its top may be such an image. Configurations and layers have
// their digests for names: "HEX.json", "HEX/layer.tar", "HEX.tar.gz", "sha256:HEX".
bool may_be_part(const std::string& path) {
    constexpr std::string_view kPrefix = "sha256:";
    constexpr std::size_t kDigits = 64;
    const std::string first = path.substr(0, path.find('/'));
    std::string name = first.substr(0, first.find('.'));
    if (name.starts_with(kPrefix))
        name.erase(0, kPrefix.size());
    const bool is_digest =
        name.size() == kDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
    return is_digest || first.empty() || first == kDockerManifest || first == "repositories" ||
           first == kLayoutMark || first == kLayoutIndex || first == "blobs";
}

Result<bool> looks_like_container(const Blob& archive) {
    const Result<std::unique_ptr<ArchiveReader>> reader = ArchiveReader::open(archive);
    if (!reader)
        return reader.error();
    bool has_manifest = false;
    for (Member member;;) {
        const Result<bool> more = (*reader)->next(member);
        if (!more)
            return more.error();
        if (!*more)
            return has_manifest;
        const std::string path = normalised(member.path);
        if (!may_be_part(path))
            return false;
        has_manifest |= path == kDockerManifest || path == kLayoutIndex;
    }
}

class Members {
  public:
    Status unpack(const Blob& archive, const std::string& work_folder) {
        if (Status status = make_file(work_folder); !status)
            return status;
        const Result<std::unique_ptr<ArchiveReader>> reader = ArchiveReader::open(archive);
        if (!reader)
            return reader.error();
        for (Member member;;) {
            const Result<bool> more = (*reader)->next(member);
            if (!more)
                return more.error();
            if (!*more)
                return {};
            const std::string path = normalised(member.path);
            const std::string folder = path.substr(0, path.rfind('/') + 1);
            if (!member.hard_link.empty())
                links_[path] = normalised(member.hard_link);
            else if (member.attributes.is_symlink())
                links_[path] = normalised(folder + member.target);
            else if (member.attributes.is_regular()) {
                if (Status status = add(archive.name + ": " + path, path, **reader); !status)
                    return status;
            }
        }
    }

    std::optional<Blob> find(std::string name) const {
        for (int links = 0; links < 8; ++links) {
            const auto link = links_.find(name);
            if (link == links_.end())
                break;
            name = link->second;
        }
        const auto found = blobs_.find(name);
        return found == blobs_.end() ? std::nullopt : std::optional(found->second);
    }

  private:
    Status make_file(const std::string& folder) {
        if (Status status = host::create_directories(folder); !status)
            return status;
        std::string path = folder + "/members.newXXXXXX";
        file_ = std::make_shared<host::FileDescriptor>(::mkostemp(path.data(), O_CLOEXEC));
        if (!*file_)
            return Error{"cannot create a file in " + folder + ": " +
                         std::generic_category().message(errno)};
        ::unlink(path.c_str());
        return {};
    }

    Status write(std::span<const u8> bytes) {
        while (!bytes.empty()) {
            const ssize_t count =
                ::pwrite(file_->number(), bytes.data(), bytes.size(), static_cast<off_t>(end_));
            if (count < 0 && errno == EINTR)
                continue;
            if (count <= 0)
                return Error{"cannot unpack the archive into the cache folder: " +
                             std::generic_category().message(errno) +
                             "; UCHRONIA_CACHE can name a cache folder on another disk"};
            bytes = bytes.subspan(static_cast<u64>(count));
            end_ += static_cast<u64>(count);
        }
        return {};
    }

    Status add(const std::string& name, const std::string& path, ArchiveReader& reader) {
        Blob blob{.name = name, .file = file_, .offset = end_, .size = 0};
        const Status status =
            reader.read_content([&](std::span<const u8> bytes, u64 zeros) -> Status {
                if (zeros != 0)
                    return Error{name + " has holes, which no container image has"};
                return write(bytes);
            });
        blob.size = end_ - blob.offset;
        blobs_[path] = std::move(blob);
        return status;
    }

    std::shared_ptr<host::FileDescriptor> file_;
    u64 end_ = 0;
    std::map<std::string, Blob> blobs_;
    std::map<std::string, std::string> links_;
};

}  // namespace

Result<std::optional<Container>> container_in_folder(const std::string& folder) {
    const bool is_one =
        (host::exists(folder + "/" + kLayoutMark) && host::exists(folder + "/" + kLayoutIndex)) ||
        (host::exists(folder + "/" + kDockerManifest) && !host::exists(folder + "/bin") &&
         !host::exists(folder + "/usr"));
    if (!is_one)
        return std::optional<Container>();
    host::FileDescriptor root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root)
        return Error{"cannot open " + folder + ": " + std::generic_category().message(errno)};
    const auto find = [&](const std::string& name) -> std::optional<Blob> {
        host::FileResult<host::FileDescriptor> file =
            host::open_beneath(root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        struct stat status {};
        if (!file.ok() || ::fstat(file->number(), &status) != 0 || !S_ISREG(status.st_mode))
            return std::nullopt;
        return Blob{.name = folder + "/" + name,
                    .file = std::make_shared<host::FileDescriptor>(std::move(*file)),
                    .offset = 0,
                    .size = static_cast<u64>(status.st_size)};
    };
    return parse(folder, find);
}

Result<std::optional<Container>> container_in_archive(const Blob& archive,
                                                      const std::string& work_folder) {
    const Result<bool> is_one = looks_like_container(archive);
    if (!is_one)
        return is_one.error();
    if (!*is_one)
        return std::optional<Container>();
    Members members;
    if (Status status = members.unpack(archive, work_folder); !status)
        return status.error();
    return parse(archive.name, [&](const std::string& name) { return members.find(name); });
}

}  // namespace uchronia::image
