#include "cpu/jit/code_library.h"

#include <algorithm>
#include <cstring>

#include "cpu/jit/block_image.h"
#include "host/file_lock.h"

namespace uchronia::cpu::jit {
namespace {

constexpr char kSuffix[] = ".code";
constexpr u64 kFileMagic = 0x3165646f43686355;  // "UchCode1"
constexpr u32 kRecordMagic = 0x64726355;        // "Ucrd"

struct FileHeader {
    u64 magic = kFileMagic;
    u64 generation = 0;  // one more each time that the file is replaced
    Digest identity;
};
struct RecordHeader {
    u32 magic = kRecordMagic;
    u32 size = 0;  // of the images behind it
    Digest page;
    Digest checksum;  // of the images
};

template <class T>
bool read_at(std::span<const u8> bytes, u64 at, T& value) {
    if (bytes.size() < at || bytes.size() - at < sizeof value)
        return false;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return true;
}

// Where the sound records that begin at `at` end; call(header, images) for each.
template <class Call>
u64 for_each_record(std::span<const u8> bytes, u64 at, Call call) {
    RecordHeader record;
    while (read_at(bytes, at, record) && record.magic == kRecordMagic && record.size % 8 == 0 &&
           record.size <= bytes.size() - at - sizeof record) {
        call(record, bytes.subspan(at + sizeof record, record.size));
        at += sizeof record + record.size;
    }
    return at;
}

void append_bytes(std::vector<u8>& to, const void* bytes, std::size_t size) {
    const u8* first = static_cast<const u8*>(bytes);
    to.insert(to.end(), first, first + size);
}

void append_record(std::vector<u8>& to, Digest page, std::span<const u8> images) {
    const RecordHeader header{
        .size = static_cast<u32>(images.size()), .page = page, .checksum = digest_of(images)};
    append_bytes(to, &header, sizeof header);
    append_bytes(to, images.data(), images.size());
}

}  // namespace

bool CodeLibrary::open(Digest identity) {
    const std::lock_guard lock(mutex_);
    if (open_ || identity == Digest())
        return open_ && identity == identity_;
    open_ = true;
    identity_ = identity;
    if (!folder_.empty())
        read_file();
    return true;
}

std::string CodeLibrary::path() const {
    return folder_ + "/" + to_hex(identity_) + kSuffix;
}

void CodeLibrary::read_file() {
    if (!host::is_file_of_user_alone(path()))
        return;
    Result<host::MappedFile> file = host::map_file(path());
    FileHeader header;
    if (!file || !read_at(file->bytes(), 0, header) || header.magic != kFileMagic ||
        header.identity != identity_)
        return;
    file_ = std::move(*file);
    generation_ = header.generation;
    file_size_ = for_each_record(
        file_.bytes(), sizeof header, [&](const RecordHeader& record, std::span<const u8> images) {
            in_file_[record.page].pieces.push_back({.images = images, .checksum = record.checksum});
        });
}

std::vector<CodeLibrary::Piece> CodeLibrary::find(Digest page) {
    const std::lock_guard lock(mutex_);
    std::vector<Piece> pieces;
    if (const auto found = in_file_.find(page); found != in_file_.end()) {
        Entry& entry = found->second;
        if (!entry.used) {
            counters_.damaged += std::erase_if(entry.pieces, [](const Piece& piece) {
                return digest_of(piece.images) != piece.checksum || !are_sound(piece.images);
            });
            entry.used = true;
        }
        pieces = entry.pieces;
    }
    if (auto old = old_.extract(page)) {
        std::vector<Piece>& young = young_[page];
        young.insert(young.end(), old.mapped().begin(), old.mapped().end());
        for (const Piece& piece : old.mapped())
            young_size_ += piece.images.size();
    }
    if (const auto found = young_.find(page); found != young_.end())
        pieces.insert(pieces.end(), found->second.begin(), found->second.end());
    ++(pieces.empty() ? counters_.pages_missed : counters_.pages_found);
    return pieces;
}

void CodeLibrary::add(Digest page, std::vector<u8> images) {
    const std::lock_guard lock(mutex_);
    ++counters_.pages_added;
    counters_.bytes_added += images.size();
    if (young_size_ + images.size() > limits_.memory) {
        // What was not asked for during a generation is forgotten.
        old_ = std::move(young_);
        young_.clear();
        young_size_ = 0;
        ++counters_.generations;
    }
    young_size_ += images.size();
    const auto owner = std::make_shared<const std::vector<u8>>(std::move(images));
    const Piece piece{.images = *owner, .owner = owner};
    young_[page].push_back(piece);
    if (folder_.empty())
        return;
    unsaved_size_ += piece.images.size();
    if (unsaved_size_ <= limits_.file / 2)
        unsaved_.emplace_back(page, piece);
}

CodeLibrary::Counters CodeLibrary::counters() {
    const std::lock_guard lock(mutex_);
    return counters_;
}

Status CodeLibrary::save() {
    const std::lock_guard lock(mutex_);
    if (unsaved_.empty())
        return {};
    if (Status status = host::create_directories(folder_); !status)
        return status;
    Result<host::FileLock> file_lock =
        host::FileLock::take(folder_ + "/lock", host::FileLock::Wait::kYes);
    if (!file_lock)
        return file_lock.error();
    Status status = append();
    unsaved_.clear();
    unsaved_size_ = 0;
    return status;
}

// Other processes may have appended, replaced the file, or died while they appended.
Status CodeLibrary::append() {
    u64 end = 0;
    FileHeader header{.generation = generation_, .identity = identity_};
    if (host::is_file_of_user_alone(path())) {
        const Result<host::MappedFile> present = host::map_file(path());
        FileHeader found;
        if (present && read_at(present->bytes(), 0, found) && found.magic == kFileMagic &&
            found.identity == identity_) {
            const bool known = found.generation == generation_ && file_size_ != 0 &&
                               present->bytes().size() >= file_size_;
            end = for_each_record(present->bytes(), known ? file_size_ : sizeof found,
                                  [](const RecordHeader&, std::span<const u8>) {});
            header.generation = found.generation;
        }
    }
    std::vector<u8> bytes;
    if (end == 0) {
        append_bytes(bytes, &header, sizeof header);
        remove_other_files();
        if (Status status = host::remove_file(path()); !status)
            return status;
    }
    if (end + unsaved_size_ > limits_.file) {
        ++header.generation;
        return replace_by_used(&header, sizeof header);
    }
    for (const auto& [page, piece] : unsaved_)
        append_record(bytes, page, piece.images);
    return host::write_private_file_at(path(), end, bytes);
}

// The file has become too large: it goes on with what this process has used or added.
Status CodeLibrary::replace_by_used(const void* header, std::size_t header_size) {
    std::vector<u8> bytes;
    append_bytes(bytes, header, header_size);
    for (const auto& [page, piece] : unsaved_)
        append_record(bytes, page, piece.images);
    for (const auto& [page, entry] : in_file_) {
        for (const Piece& piece : entry.pieces) {
            if (entry.used && bytes.size() + piece.images.size() < limits_.file)
                append_record(bytes, page, piece.images);
        }
    }
    if (Status status = host::remove_file(path()); !status)
        return status;
    return host::write_private_file_at(path(), 0, bytes);
}

// Files of other programs and hosts are useless here, and nobody else would remove them: the newest
// few stay.
void CodeLibrary::remove_other_files() const {
    const Result<std::vector<host::FolderEntry>> entries = host::list_directory(folder_);
    if (!entries)
        return;
    std::vector<std::pair<i64, std::string>> others;  // by time of their last change
    for (const host::FolderEntry& entry : *entries) {
        if (entry.name.ends_with(kSuffix))
            others.emplace_back(host::seconds_of_change(folder_ + "/" + entry.name),
                                folder_ + "/" + entry.name);
    }
    std::sort(others.begin(), others.end(), std::greater<>());
    for (std::size_t i = limits_.other_files; i < others.size(); ++i)
        (void)host::remove_file(others[i].second);
}

}  // namespace uchronia::cpu::jit
