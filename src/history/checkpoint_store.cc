#include "history/checkpoint_store.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "history/compression.h"
#include "host/file_lock.h"

namespace uchronia::history {
namespace {

constexpr char kMagic[8] = {'U', 'C', 'H', 'R', 'C', 'K', 'P', 'T'};
constexpr u32 kVersion = 1;
constexpr u32 kZeroSlot = ~u32{0};
constexpr char kSuffix[] = ".checkpoint";
constexpr u64 kLargestState = u64{1} << 26;  // bytes

// All integers are little-endian.
struct Header {
    char magic[8];
    u32 version;
    u32 entry_count;
    StoredMoment moment;
    u64 state_size;
    Digest ram;      // of all of RAM
    Digest content;  // of the frame that follows: the entries and the state, compressed
    Digest header;   // of all fields before
};
static_assert(sizeof(Header) == 88);

// A page that is not as at the history's start.
struct Entry {
    u32 page_number;
    u32 slot;  // of the file of pages, or kZeroSlot
};
static_assert(sizeof(Entry) == 8);

// A file, read and checked.
struct Contents {
    std::vector<Entry> entries;
    std::vector<u8> state;
    Digest ram;
};

Digest digest_of_header(const Header& header) {
    return digest_of({reinterpret_cast<const u8*>(&header), offsetof(Header, header)});
}

template <class T>
std::span<const u8> bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const u8*>(values.data()), values.size() * sizeof(T)};
}

// "123.456.checkpoint": tick and time.
std::optional<StoredMoment> moment_of(const std::string& name) {
    StoredMoment moment;
    const char* const end = name.data() + name.size();
    const auto [dot, error] = std::from_chars(name.data(), end, moment.tick.value);
    if (error != std::errc() || dot == end || *dot != '.')
        return std::nullopt;
    const auto [rest, second_error] = std::from_chars(dot + 1, end, moment.time.value);
    if (second_error != std::errc() || std::string_view(rest, end) != kSuffix)
        return std::nullopt;
    return moment;
}

Result<Contents> contents_of(const std::string& path, const StoredMoment& moment) {
    const Result<std::vector<u8>> file = host::read_file(path);
    if (!file)
        return file.error();
    Header header;
    if (file->size() < sizeof header)
        return Error{"it is truncated"};
    std::memcpy(&header, file->data(), sizeof header);
    const std::span<const u8> packed = std::span(*file).subspan(sizeof header);
    if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.version != kVersion ||
        header.header != digest_of_header(header) || header.moment != moment)
        return Error{"its header is damaged"};
    const u64 entries_size = header.entry_count * u64{sizeof(Entry)};
    std::optional<std::vector<u8>> content;
    if (header.content == digest_of(packed) && header.state_size <= kLargestState)
        content = decompress(packed, entries_size + header.state_size);
    if (!content)
        return Error{"its contents are damaged"};
    Contents result{.entries = std::vector<Entry>(header.entry_count),
                    .state = {content->begin() + static_cast<i64>(entries_size), content->end()},
                    .ram = header.ram};
    std::copy_n(content->data(), entries_size, reinterpret_cast<u8*>(result.entries.data()));
    return result;
}

// What the entries say; null, or what is wrong with them.
const char* changes_of(const Contents& contents, std::span<const u8> pages,
                       std::span<const Digest> digests, memory::FrameStore& frames, u64 page_count,
                       std::vector<memory::PageTree::Change>& changes) {
    for (const Entry& entry : contents.entries) {
        const u64 address = u64{entry.page_number} << kPageBits;
        if (entry.page_number >= page_count ||
            (address >= memory::kHoleStart && address < memory::kHoleEnd) ||
            (!changes.empty() && entry.page_number <= changes.back().page_number))
            return "its list of pages is impossible";
        if (entry.slot == kZeroSlot) {
            changes.push_back({entry.page_number, nullptr});
            continue;
        }
        const u8* const page = pages.data() + u64{entry.slot} * kPageSize;
        if (digest_of({page, kPageSize}) != digests[entry.slot])
            return "a page is corrupt";
        changes.push_back({entry.page_number, frames.borrow(page, digests[entry.slot])});
    }
    return nullptr;
}

}  // namespace

std::string CheckpointStore::path_of(const StoredMoment& moment) const {
    return folder_ + "/" + std::to_string(moment.tick.value) + "." +
           std::to_string(moment.time.value) + kSuffix;
}

std::vector<StoredMoment> CheckpointStore::moments() const {
    std::vector<StoredMoment> result;
    const Result<std::vector<host::FolderEntry>> entries = host::list_directory(folder_);
    if (!entries)
        return result;
    for (const host::FolderEntry& entry : *entries) {
        if (const std::optional<StoredMoment> moment = moment_of(entry.name))
            result.push_back(*moment);
    }
    std::sort(result.begin(), result.end());
    return result;
}

// As the checkpoints share their pages, what one of them has found damaged others may need. Who has
// mapped the pages keeps them. What cannot be removed is found damaged once more.
void CheckpointStore::discard() const {
    const Result<host::FileLock> lock =
        host::FileLock::take(folder_ + "/lock", host::FileLock::Wait::kYes);
    if (!lock)
        return;
    for (const StoredMoment& moment : moments())
        (void)host::remove_file(path_of(moment));
    (void)host::remove_file(folder_ + "/digests");
    (void)host::remove_file(folder_ + "/pages");
}

// The digests of what this and other processes have added.
Status CheckpointStore::read_digests() {
    const std::string path = folder_ + "/digests";
    std::vector<Digest> digests;
    if (host::exists(path)) {
        const Result<std::vector<u8>> bytes = host::read_file(path);
        if (!bytes)
            return bytes.error();
        digests.resize(std::min<u64>(bytes->size() / sizeof(Digest), kZeroSlot));
        std::copy_n(bytes->data(), digests.size() * sizeof(Digest),
                    reinterpret_cast<u8*>(digests.data()));
    }
    // Somebody has begun anew: the pages are in another file.
    if (digests.size() < digests_.size() ||
        !std::equal(digests_.begin(), digests_.end(), digests.begin()))
        forget_pages();
    digests_ = std::move(digests);
    return {};
}

// Whole pages that have no digest get theirs: their writer was killed, or digests have been lost.
// As another process may have mapped them, nothing is written over them.
Status CheckpointStore::adopt_pages() {
    const std::string path = folder_ + "/pages";
    if (!host::exists(path))
        return {};
    const Result<host::MappedFile> file = host::map_file(path);
    if (!file)
        return file.error();
    const std::span<const u8> pages = file->bytes();
    std::vector<Digest> digests;
    for (u64 at = digests_.size() * kPageSize; at + kPageSize <= pages.size(); at += kPageSize)
        digests.push_back(digest_of(pages.subspan(at, kPageSize)));
    return append_digests(digests);
}

// The pages first: a slot counts once its digest is there.
Status CheckpointStore::append_pages(std::span<const u8> pages, std::span<const Digest> digests) {
    if (digests.empty())
        return {};
    if (Status status =
            host::write_private_file_at(folder_ + "/pages", digests_.size() * kPageSize, pages);
        !status)
        return status;
    return append_digests(digests);
}

Status CheckpointStore::append_digests(std::span<const Digest> digests) {
    if (digests.empty())
        return {};
    if (Status status = host::write_private_file_at(
            folder_ + "/digests", digests_.size() * sizeof(Digest),
            {reinterpret_cast<const u8*>(digests.data()), digests.size_bytes()});
        !status)
        return status;
    digests_.insert(digests_.end(), digests.begin(), digests.end());
    return {};
}

Status CheckpointStore::save(const StoredMoment& moment, const machine::Checkpoint& checkpoint,
                             const memory::RAMSnapshot& start) {
    if (Status status = host::create_directories(folder_); !status)
        return status;
    const Result<host::FileLock> lock =
        host::FileLock::take(folder_ + "/lock", host::FileLock::Wait::kYes);
    if (!lock)
        return lock.error();
    if (Status status = read_digests(); !status)
        return status;
    if (Status status = adopt_pages(); !status)
        return status;
    for (u64 slot = slots_.size(); slot < digests_.size(); ++slot)
        slots_.emplace(digests_[slot], static_cast<u32>(slot));
    Header header{};
    header.version = kVersion;
    header.moment = moment;
    header.state_size = checkpoint.state.size();
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.ram = checkpoint.ram->digest();  // every frame has its hash now
    const Digest zero = digest_of(std::vector<u8>(kPageSize));
    std::vector<Entry> entries;
    std::vector<u8> new_pages;
    std::vector<Digest> new_digests;
    memory::PageTree::for_each_difference(
        start.tree(), checkpoint.ram->tree(), [&](u64 page, const memory::Frame* frame) {
            u32 slot = kZeroSlot;
            if (frame != nullptr && frame->hash != zero) {
                const u64 next = digests_.size() + new_digests.size();
                const auto [known, is_new] = slots_.emplace(frame->hash, static_cast<u32>(next));
                slot = known->second;
                if (is_new) {
                    new_digests.push_back(frame->hash);
                    new_pages.insert(new_pages.end(), frame->data, frame->data + kPageSize);
                }
            }
            entries.push_back({static_cast<u32>(page), slot});
        });
    if (Status status = append_pages(new_pages, new_digests); !status) {
        slots_.clear();  // it has what is not there
        return status;
    }
    header.entry_count = static_cast<u32>(entries.size());
    std::vector<u8> content(bytes_of(entries).begin(), bytes_of(entries).end());
    content.insert(content.end(), checkpoint.state.begin(), checkpoint.state.end());
    const std::vector<u8> packed = compress(content);
    header.content = digest_of(packed);
    header.header = digest_of_header(header);
    std::vector<u8> file(reinterpret_cast<const u8*>(&header),
                         reinterpret_cast<const u8*>(&header + 1));
    file.insert(file.end(), packed.begin(), packed.end());
    return host::write_cached_file(path_of(moment), file);
}

// The mapped bytes of so many slots, whose digests are known; what was mapped before stays.
Result<std::span<const u8>> CheckpointStore::pages_up_to(u64 slot_count) {
    if (Status status = read_digests(); !status)
        return status.error();
    const u64 size = slot_count * kPageSize;
    if (size != 0 && (mapped_.empty() || is_mapping_old_ || mapped_.back().bytes().size() < size)) {
        Result<host::MappedFile> file = host::map_file(folder_ + "/pages");
        if (!file)
            return file.error();
        mapped_.push_back(std::move(*file));
        is_mapping_old_ = false;
    }
    if (slot_count > digests_.size() || (size != 0 && mapped_.back().bytes().size() < size))
        return Error{"pages are missing"};
    return size == 0 ? std::span<const u8>() : mapped_.back().bytes();
}

Result<machine::Checkpoint> CheckpointStore::load(const StoredMoment& moment,
                                                  memory::FrameStore& frames,
                                                  const memory::RAMSnapshot& start) {
    const std::string path = path_of(moment);
    // Another process has emptied the folder, and perhaps begun anew.
    if (!host::exists(path))
        return Error{"the checkpoint " + path + " is not there any more"};
    Result<machine::Checkpoint> checkpoint = read(path, moment, frames, start);
    if (checkpoint)
        return checkpoint;
    discard();
    return Error{"the checkpoint " + path + " cannot be used: " + checkpoint.error().message +
                 ". The folder has been emptied; its checkpoints are made again when they are "
                 "needed"};
}

Result<machine::Checkpoint> CheckpointStore::read(const std::string& path,
                                                  const StoredMoment& moment,
                                                  memory::FrameStore& frames,
                                                  const memory::RAMSnapshot& start) {
    Result<Contents> contents = contents_of(path, moment);
    if (!contents)
        return contents.error();
    u64 slot_count = 0;
    for (const Entry& entry : contents->entries) {
        if (entry.slot != kZeroSlot)
            slot_count = std::max<u64>(slot_count, entry.slot + u64{1});
    }
    const Result<std::span<const u8>> pages = pages_up_to(slot_count);
    if (!pages)
        return pages.error();
    std::vector<memory::PageTree::Change> changes;
    const char* const fault =
        changes_of(*contents, *pages, digests_, frames, start.page_count(), changes);
    std::shared_ptr<const memory::RAMSnapshot> ram;
    if (fault == nullptr)
        ram = std::make_shared<memory::RAMSnapshot>(frames, start.tree().with(changes));
    for (const memory::PageTree::Change& change : changes) {
        if (change.frame != nullptr)
            frames.release(change.frame);
    }
    if (fault != nullptr)
        return Error{fault};
    if (ram->digest() != contents->ram)
        return Error{"its memory is not what was saved"};
    return machine::Checkpoint{std::move(ram), std::move(contents->state)};
}

}  // namespace uchronia::history
