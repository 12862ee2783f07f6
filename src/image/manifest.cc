#include "image/manifest.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/state_io.h"

namespace uchronia::image {
namespace {

constexpr char kMagic[8] = {'U', 'C', 'H', 'R', 'I', 'M', 'A', 'G'};
constexpr u32 kVersion = 1;

// No entry takes fewer bytes, so that a count that a file gives allocates in proportion to the
// file.
constexpr u64 kLeastEntrySize = 57;

struct FileHeader {
    char magic[8];
    u32 version;
    u32 chunk_size;
};
static_assert(sizeof(FileHeader) == 16);

Error damaged(const std::string& name, const std::string& why) {
    return Error{"the manifest of the image " + name + " is damaged: " + why +
                 ". Build the image again ('uchronia image build')"};
}

void visit_strings(FieldVisitor& v, std::string_view name, std::vector<std::string>& list) {
    constexpr u64 kMostStrings = 1 << 16;
    u64 count = list.size();
    v.count(name, count, kMostStrings);
    list.resize(count);
    for (std::string& text : list)
        v(name, text);
}

void visit_entries(FieldVisitor& v, std::vector<Entry>& entries, u64 most) {
    u64 count = entries.size();
    v.count("entries", count, most);
    entries.resize(count);
    for (Entry& entry : entries)
        v("entry", entry);
}

bool is_type_known(u32 mode) {
    const u32 type = mode & S_IFMT;
    return (mode & ~u32{S_IFMT | 07777}) == 0 &&
           (type == S_IFREG || type == S_IFDIR || type == S_IFLNK || type == S_IFIFO ||
            type == S_IFSOCK);
}

// Null if the entry is as it must be, but for its place in the list.
const char* fault_of(const Entry& entry) {
    const host::FileAttributes& attributes = entry.attributes;
    if (!host::is_plain_absolute(entry.path))
        return "a path is not plain";
    if (!is_type_known(attributes.mode) || attributes.modified_nanoseconds >= 1'000'000'000)
        return "the attributes of a file are impossible";
    const u64 chunks = attributes.is_regular()
                           ? attributes.size / kChunkSize + (attributes.size % kChunkSize != 0)
                           : 0;
    if (attributes.size > kLargestFile || entry.chunks.size() != chunks)
        return "the contents of a file do not have its size";
    const bool is_link = attributes.is_symlink();
    if (entry.target.empty() == is_link || entry.target.size() > kLongestPath ||
        entry.target.find('\0') != std::string::npos ||
        (is_link && attributes.size != entry.target.size()))
        return "a symbolic link is impossible";
    return nullptr;
}

Status check(const Manifest& manifest, const std::string& name) {
    const std::vector<Entry>& entries = manifest.entries;
    if (entries.empty() || entries.front().path != "/")
        return damaged(name, "it has no root folder");
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (const char* fault = fault_of(entries[i]))
            return damaged(name, fault);
        if (i != 0 && entries[i - 1].path >= entries[i].path)
            return damaged(name, "its paths are not in order");
        const Entry* parent = manifest.find(parent_of(entries[i].path));
        if (parent == nullptr || !parent->attributes.is_directory())
            return damaged(name, "a file lies in no folder");
    }
    return {};
}

}  // namespace

void Entry::fields(FieldVisitor& v) {
    v("path", path);
    attributes.fields(v);
    v("target", target);
    u64 count = chunks.size();
    v.count("chunks", count, kLargestFile / kChunkSize);
    chunks.resize(count);
    for (Digest& chunk : chunks) {
        v("low", chunk.low);
        v("high", chunk.high);
    }
}

void Configuration::fields(FieldVisitor& v) {
    visit_strings(v, "entrypoint", entrypoint);
    visit_strings(v, "command", command);
    visit_strings(v, "environment", environment);
    v("working_directory", working_directory);
    v("user", user);
}

const Entry* Manifest::find(std::string_view path) const {
    const auto found = std::lower_bound(
        entries.begin(), entries.end(), path,
        [](const Entry& entry, std::string_view wanted) { return entry.path < wanted; });
    return found != entries.end() && found->path == path ? &*found : nullptr;
}

u64 Manifest::content_size() const {
    u64 size = 0;
    for (const Entry& entry : entries)
        size += entry.attributes.is_regular() ? entry.attributes.size : 0;
    return size;
}

std::vector<u8> serialise(const Manifest& manifest) {
    Manifest copy = manifest;
    SavingVisitor saving;
    copy.configuration.fields(saving);
    visit_entries(saving, copy.entries, kMostEntries);
    FileHeader header{.magic = {}, .version = kVersion, .chunk_size = u32{kChunkSize}};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    std::vector<u8> file(sizeof header);
    std::memcpy(file.data(), &header, sizeof header);
    file.insert(file.end(), saving.saved().begin(), saving.saved().end());
    return file;
}

Result<Manifest> parse_manifest(std::span<const u8> bytes, const std::string& name) {
    FileHeader header{};
    if (bytes.size() < sizeof header || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0)
        return damaged(name, "it is no manifest");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.version > kVersion)
        return Error{"the manifest of the image " + name + " has format version " +
                     std::to_string(header.version) + ", and this Uchronia reads versions up to " +
                     std::to_string(kVersion) + ". Use the newer Uchronia that wrote it"};
    if (header.version != kVersion || header.chunk_size != kChunkSize)
        return damaged(name, "its header is not that of a manifest");
    const std::span<const u8> rest = bytes.subspan(sizeof header);
    Manifest manifest;
    LoadingVisitor loading(rest);
    manifest.configuration.fields(loading);
    visit_entries(loading, manifest.entries, std::min(kMostEntries, rest.size() / kLeastEntrySize));
    if (!loading.status())
        return damaged(name, "it ends too early or goes on after its end");
    if (Status status = check(manifest, name); !status)
        return status.error();
    return manifest;
}

std::string_view parent_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string_view::npos ? std::string_view("/")
                                                         : path.substr(0, slash);
}

}  // namespace uchronia::image
