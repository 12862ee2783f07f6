#include "history/bundle.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "history/compression.h"
#include "history/history_file.h"

namespace uchronia::history {
namespace {

constexpr char kMagic[8] = {'U', 'C', 'H', 'R', 'B', 'N', 'D', 'L'};
constexpr u32 kVersion = 1;
constexpr u64 kLargestContent = u64{1} << 30;    // bytes, unpacked
constexpr u64 kLargestBaseImage = u64{1} << 36;  // the memory of the largest machine

// All integers are little-endian. The table of contents follows.
struct FileHeader {
    char magic[8];
    u32 version;
    u32 entry_count;
    Digest table_digest;  // of the table and the fields above
};
static_assert(sizeof(FileHeader) == 32);

Error damaged(const std::string& name, const std::string& why) {
    return Error{"the bundle " + name + " is damaged: " + why +
                 ". Get the file again from where it came from"};
}

Digest digest_of_table(const FileHeader& header, std::span<const u8> table) {
    const Digest fields =
        digest_of({reinterpret_cast<const u8*>(&header), offsetof(FileHeader, table_digest)});
    return digest_of(table, fields.low);
}

void append(std::vector<u8>& file, std::span<const u8> bytes) {
    file.insert(file.end(), bytes.begin(), bytes.end());
}

template <class T>
std::span<const u8> bytes_of(const std::vector<T>& list) {
    return {reinterpret_cast<const u8*>(list.data()), list.size() * sizeof(T)};
}

// Whether the header and the table can be read: their place, not yet what is in the table.
Status check_header(std::span<const u8> file, const FileHeader& header, const std::string& name) {
    if (header.version > kVersion)
        return Error{"the bundle " + name + " has format version " +
                     std::to_string(header.version) + ", and this Uchronia reads versions up to " +
                     std::to_string(kVersion) + ". Use the newer Uchronia that wrote it"};
    if (header.version == 0)
        return damaged(name, "its header is not that of a bundle");
    if (header.entry_count > (file.size() - sizeof header) / sizeof(BundleEntry))
        return damaged(name, "it ends too early");
    const auto table = file.subspan(sizeof header, u64{header.entry_count} * sizeof(BundleEntry));
    if (header.table_digest != digest_of_table(header, table))
        return damaged(name, "the checksum of its table of contents does not match");
    return {};
}

// History, contents by ascending digest, perhaps a base image; nothing between them or after them.
Status check_entries(const std::vector<BundleEntry>& entries, u64 data_offset, u64 file_size,
                     const std::string& name) {
    u64 offset = data_offset;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const BundleEntry& entry = entries[i];
        const bool is_first = i == 0, is_last = i + 1 == entries.size();
        const bool is_ordered = !is_first && (entries[i - 1].type == EntryType::kHistory ||
                                              entries[i - 1].digest < entry.digest);
        const bool is_in_place = entry.type == EntryType::kHistory     ? is_first
                                 : entry.type == EntryType::kContent   ? is_ordered
                                 : entry.type == EntryType::kBaseImage ? !is_first && is_last
                                                                       : false;
        const u64 largest =
            entry.type == EntryType::kBaseImage ? kLargestBaseImage : kLargestContent;
        if (!is_in_place || entry.offset != offset || entry.content_size > largest)
            return damaged(name, "its table of contents is not that of a bundle");
        if (entry.stored_size > file_size - offset)
            return damaged(name, "it ends too early");
        offset += entry.stored_size;
    }
    if (entries.empty())
        return damaged(name, "it has no history");
    if (offset != file_size)
        return damaged(name, "it goes on after its end");
    return {};
}

bool is_outside_of_history(const Answer<Block>& answer) {
    return answer.error == 0 && answer.value.bytes.size() != answer.value.size;
}

}  // namespace

bool is_bundle(std::span<const u8> file) {
    return file.size() >= sizeof kMagic && std::memcmp(file.data(), kMagic, sizeof kMagic) == 0;
}

BundleWriter::BundleWriter(const History& history) {
    const std::vector<u8> file = serialise_history(history);
    add(EntryType::kHistory, EntryEncoding::kPlain, digest_of(file), file);
}

void BundleWriter::add_content(Digest digest, std::span<const u8> content) {
    CHECK(entries_.back().type == EntryType::kHistory ||
          (entries_.back().type == EntryType::kContent && entries_.back().digest < digest));
    add(EntryType::kContent, EntryEncoding::kZstd, digest, content);
}

void BundleWriter::add_base_image(std::span<const u8> image) {
    add(EntryType::kBaseImage, EntryEncoding::kZstd, digest_of(image), image);
}

void BundleWriter::add(EntryType type, EntryEncoding encoding, Digest digest,
                       std::span<const u8> content) {
    std::vector<u8> packed;
    if (encoding == EntryEncoding::kZstd)
        packed = compress(content);
    const std::span<const u8> stored = encoding == EntryEncoding::kZstd ? packed : content;
    entries_.push_back({.type = type,
                        .encoding = encoding,
                        .offset = data_.size(),
                        .stored_size = stored.size(),
                        .content_size = content.size(),
                        .digest = digest});
    append(data_, stored);
}

std::vector<u8> BundleWriter::finish() const {
    FileHeader header{.magic = {},
                      .version = kVersion,
                      .entry_count = static_cast<u32>(entries_.size()),
                      .table_digest = {}};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    std::vector<BundleEntry> entries = entries_;
    for (BundleEntry& entry : entries)
        entry.offset += sizeof header + entries.size() * sizeof entry;
    header.table_digest = digest_of_table(header, bytes_of(entries));
    std::vector<u8> file;
    append(file, {reinterpret_cast<const u8*>(&header), sizeof header});
    append(file, bytes_of(entries));
    append(file, data_);
    return file;
}

Result<Bundle> Bundle::open(std::span<const u8> file, const std::string& name) {
    if (!is_bundle(file))
        return Error{name +
                     " is not a bundle of Uchronia: it does not begin with 'UCHRBNDL'. "
                     "Bundles are written by 'uchronia export HISTORY FILE'"};
    FileHeader header{};
    if (file.size() < sizeof header)
        return damaged(name, "it ends too early");
    std::memcpy(&header, file.data(), sizeof header);
    if (Status status = check_header(file, header, name); !status)
        return status.error();
    Bundle bundle;
    bundle.file_ = file;
    bundle.name_ = name;
    bundle.entries_.resize(header.entry_count);
    const u64 table_size = bytes_of(bundle.entries_).size();
    if (table_size != 0)
        std::memcpy(bundle.entries_.data(), file.data() + sizeof header, table_size);
    if (Status status =
            check_entries(bundle.entries_, sizeof header + table_size, file.size(), name);
        !status)
        return status.error();
    for (const BundleEntry& entry : bundle.entries_) {
        if (entry.type == EntryType::kContent)
            bundle.contents_.insert(entry.digest);
    }
    return bundle;
}

const BundleEntry* Bundle::base_image() const {
    return entries_.back().type == EntryType::kBaseImage ? &entries_.back() : nullptr;
}

Result<std::vector<u8>> Bundle::take(const BundleEntry& entry) const {
    const std::span<const u8> stored = file_.subspan(entry.offset, entry.stored_size);
    std::optional<std::vector<u8>> content;
    if (entry.encoding == EntryEncoding::kZstd)
        content = decompress(stored, entry.content_size);
    else if (entry.encoding == EntryEncoding::kPlain && entry.stored_size == entry.content_size)
        content.emplace(stored.begin(), stored.end());
    if (!content)
        return damaged(name_, "a part of it cannot be unpacked");
    if (digest_of(*content) != entry.digest)
        return damaged(name_, "a checksum does not match");
    return std::move(*content);
}

Result<History> Bundle::history() const {
    const Result<std::vector<u8>> file = take(entries_.front());
    if (!file)
        return file.error();
    return parse_history(*file, name_);
}

std::map<Digest, BlockQuestion> needed_contents(const History& history) {
    std::map<Digest, BlockQuestion> needed;
    for (const auto& [question, answer] : history.record.blocks) {
        if (is_outside_of_history(answer))
            needed.emplace(answer.value.digest, question);
    }
    return needed;
}

std::vector<ReadFile> read_files(const History& history,
                                 const std::function<bool(Digest)>& has_content) {
    std::vector<ReadFile> files;
    for (const auto& [question, answer] : history.record.blocks) {
        if (answer.error != 0)
            continue;
        if (files.empty() || files.back().path != question.path) {
            const auto attributes = history.record.attributes.find(question.path);
            const bool is_known =
                attributes != history.record.attributes.end() && attributes->second.error == 0;
            files.push_back(
                {.path = question.path, .size = is_known ? attributes->second.value.size : 0});
        }
        ReadFile& file = files.back();
        file.read_size += answer.value.size;
        if (!is_outside_of_history(answer))
            continue;
        file.in_history = false;
        if (!has_content(answer.value.digest))
            file.missing += answer.value.size;
    }
    return files;
}

bool matches(const std::string& path, const std::vector<std::string>& patterns) {
    const auto fits = [&path](const std::string& pattern) {
        if (pattern.find('/') != std::string::npos)
            return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_LEADING_DIR) == 0;
        for (std::size_t begin = 1; begin < path.size();) {
            const std::size_t end = std::min(path.find('/', begin), path.size());
            if (::fnmatch(pattern.c_str(), path.substr(begin, end - begin).c_str(), 0) == 0)
                return true;
            begin = end + 1;
        }
        return false;
    };
    return std::any_of(patterns.begin(), patterns.end(), fits);
}

std::set<Digest> leave_out(History& history, const std::vector<std::string>& patterns) {
    std::set<Digest> left_out, others;
    for (auto& [question, answer] : history.record.blocks) {
        if (answer.error != 0 || answer.value.size == 0)
            continue;
        const bool is_left_out = matches(question.path, patterns);
        if (is_left_out)
            answer.value.bytes.clear();
        (is_left_out ? left_out : others).insert(answer.value.digest);
    }
    std::erase_if(left_out, [&](const Digest& digest) { return others.contains(digest); });
    return left_out;
}

}  // namespace uchronia::history
