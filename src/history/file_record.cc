#include "history/file_record.h"

#include <algorithm>

namespace uchronia::history {
namespace {

// What a history keeps of the bytes of files at most, so that it stays a small file.
constexpr u64 kMostKept = u64{64} << 20;

// What waits in memory for the store at most.
constexpr u64 kMostUnstored = u64{64} << 20;

constexpr u64 kMostAnswers = 1 << 24;

// --- The binary form: each map as its size and its entries. ---

void visit(FieldVisitor& v, host::FileAttributes& value) {
    value.fields(v);
}

void visit(FieldVisitor& v, FileRecord::Listing& value) {
    host::DirectoryListing listing;
    if (value != nullptr)
        listing = *value;
    u64 count = listing.size();
    v.count("entries", count, kMostAnswers);
    listing.resize(count);
    for (host::DirectoryEntry& entry : listing) {
        v("name", entry.name);
        v("type", entry.type);
    }
    value = std::make_shared<const host::DirectoryListing>(std::move(listing));
}

void visit(FieldVisitor& v, std::string& value) {
    v("target", value);
}

void visit(FieldVisitor& v, Block& value) {
    v("size", value.size);
    v("digest_low", value.digest.low);
    v("digest_high", value.digest.high);
    v("bytes", value.bytes);
}

void visit_key(FieldVisitor& v, std::string& path) {
    v("path", path);
}

void visit_key(FieldVisitor& v, BlockQuestion& question) {
    v("path", question.path);
    v("offset", question.offset);
    v("size", question.size);
}

template <class Key, class Value>
void visit_map(FieldVisitor& v, std::string_view name, std::map<Key, Answer<Value>>& map) {
    std::vector<std::pair<Key, Answer<Value>>> entries(map.begin(), map.end());
    u64 count = entries.size();
    v.enter(name);
    v.count("count", count, kMostAnswers);
    entries.resize(count);
    map.clear();
    for (auto& [key, answer] : entries) {
        visit_key(v, key);
        v("error", answer.error);
        if (answer.error == 0)
            visit(v, answer.value);
        map.insert_or_assign(std::move(key), std::move(answer));
    }
    v.leave();
}

template <class T>
host::FileResult<T> result_of(const Answer<T>& answer) {
    if (answer.error != 0)
        return host::FileError{answer.error};
    return answer.value;
}

// From the map, or else from the host by way of the map.
template <class T, class Ask>
host::FileResult<T> answer(std::map<std::string, Answer<T>>& map, const std::string& path,
                           Ask ask) {
    const auto found = map.find(path);
    if (found != map.end())
        return result_of(found->second);
    const host::FileResult<T> asked = ask();
    Answer<T> recorded{.error = asked.error(), .value = {}};
    if (asked.ok())
        recorded.value = *asked;
    return result_of(map.emplace(path, std::move(recorded)).first->second);
}

bool is_in(const std::string& path, const std::vector<std::string>& folders) {
    return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
        return path == folder || path.starts_with(folder + "/");
    });
}

}  // namespace

void FileRecord::fields(FieldVisitor& v) {
    visit_map(v, "attributes", attributes);
    visit_map(v, "listings", listings);
    visit_map(v, "links", links);
    visit_map(v, "blocks", blocks);
}

bool FileRecord::empty() const {
    return attributes.empty() && listings.empty() && links.empty() && blocks.empty();
}

bool FileRecord::operator==(const FileRecord& other) const {
    const auto same_listing = [](const auto& a, const auto& b) {
        return a.first == b.first && a.second.error == b.second.error &&
               (a.second.error != 0 || *a.second.value == *b.second.value);
    };
    return attributes == other.attributes && links == other.links && blocks == other.blocks &&
           std::equal(listings.begin(), listings.end(), other.listings.begin(),
                      other.listings.end(), same_listing);
}

RecordedFiles::RecordedFiles(FileRecord& record, host::FileSource& host, Folders folders,
                             const ContentStore* store)
    : record_(record), host_(host), folders_(std::move(folders)), store_(store) {}

host::FileResult<host::FileAttributes> RecordedFiles::attributes(const std::string& path) {
    return answer(record_.attributes, path, [&] { return host_.attributes(path); });
}

host::FileResult<std::shared_ptr<const host::DirectoryListing>> RecordedFiles::list(
    const std::string& path) {
    return answer(record_.listings, path, [&] { return host_.list(path); });
}

host::FileResult<std::string> RecordedFiles::read_link(const std::string& path) {
    return answer(record_.links, path, [&] { return host_.read_link(path); });
}

host::FileResult<u64> RecordedFiles::read(const std::string& path, u64 offset,
                                          std::span<u8> bytes) {
    BlockQuestion question{path, offset, bytes.size()};
    const auto found = record_.blocks.find(question);
    if (found == record_.blocks.end())
        return read_and_record(std::move(question), bytes);
    const Answer<Block>& recorded = found->second;
    if (recorded.error != 0)
        return host::FileError{recorded.error};
    const Block& block = recorded.value;
    if (block.bytes.size() != block.size || block.size > bytes.size())
        return read_host(path, offset, bytes, recorded);
    std::copy_n(block.bytes.data(), block.size, bytes.data());
    return block.size;
}

host::FileResult<u64> RecordedFiles::read_host(const std::string& path, u64 offset,
                                               std::span<u8> bytes, const Answer<Block>& recorded) {
    const host::FileResult<u64> count = host_.read(path, offset, bytes);
    const bool same = count.ok() && *count == recorded.value.size &&
                      digest_of(std::span<const u8>(bytes.first(*count))) == recorded.value.digest;
    if (same)
        return count;
    const auto stored = store_ == nullptr ? std::nullopt : store_->get(recorded.value.digest);
    if (stored && stored->size() == recorded.value.size && stored->size() <= bytes.size()) {
        std::copy_n(stored->data(), stored->size(), bytes.data());
        return u64{stored->size()};
    }
    if (!changed_file_)
        changed_file_ = path;
    return count;
}

host::FileResult<u64> RecordedFiles::read_and_record(BlockQuestion question, std::span<u8> bytes) {
    const host::FileResult<u64> count = host_.read(question.path, question.offset, bytes);
    Answer<Block> recorded{.error = count.error(), .value = {}};
    if (count.ok()) {
        const std::span<const u8> content = bytes.first(*count);
        recorded.value.size = *count;
        recorded.value.digest = digest_of(content);
        if (keeps(question.path, *count)) {
            recorded.value.bytes.assign(content.begin(), content.end());
            kept_size_ += *count;
        } else if (!is_stored_already(question.path)) {
            keep_later(recorded.value.digest, content);
        }
    }
    record_.blocks.emplace(std::move(question), std::move(recorded));
    return count;
}

void RecordedFiles::keep_later(Digest digest, std::span<const u8> content) {
    if (store_ == nullptr || content.empty() || unstored_.contains(digest) || store_->has(digest))
        return;
    unstored_.emplace(digest, std::vector<u8>(content.begin(), content.end()));
    unstored_size_ += content.size();
    if (unstored_size_ > kMostUnstored)
        store_status_ = keep_contents();
}

Status RecordedFiles::keep_contents() {
    Status status = std::exchange(store_status_, {});
    for (const auto& [digest, content] : unstored_) {
        if (status)
            status = store_->put(digest, content);
    }
    unstored_.clear();
    unstored_size_ = 0;
    return status;
}

bool RecordedFiles::is_stored_already(const std::string& path) const {
    return folders_.others == Others::kNothing && !is_in(path, folders_.kept);
}

bool RecordedFiles::keeps(const std::string& path, u64 size) const {
    return kept_size_ + size <= kMostKept && is_in(path, folders_.kept) &&
           !is_in(path, folders_.not_kept);
}

}  // namespace uchronia::history
