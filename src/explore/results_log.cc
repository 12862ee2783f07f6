#include "explore/results_log.h"

#include <cstring>

#include "base/state_io.h"
#include "explore/file_changes.h"
#include "history/configuration.h"
#include "host/files.h"

namespace uchronia::explore {
namespace {

constexpr char kMagic[8] = {'U', 'C', 'H', 'R', 'E', 'X', 'P', 'L'};
constexpr u32 kVersion = 1;
constexpr u64 kFlushInterval = 1'000'000'000;  // host nanoseconds

// All integers are little-endian.
struct FileHeader {
    char magic[8];
    u32 version;
    u32 reserved;
    Digest identity;
};
static_assert(sizeof(FileHeader) == 32);

enum : u32 { kRunRecord = 1, kFilesRecord = 2 };

struct RecordHeader {
    u32 type;
    u32 size;  // of what follows
    u64 checksum;
};
static_assert(sizeof(RecordHeader) == 16);

// A record counts only where it was written.
u64 checksum_of(const RecordHeader& header, std::span<const u8> content, u64 offset) {
    const u64 fields[3] = {header.type, header.size, offset};
    return digest_of(content, digest_of({reinterpret_cast<const u8*>(fields), sizeof fields}).low)
        .low;
}

FileHeader header_for(Digest identity) {
    FileHeader header{.magic = {}, .version = kVersion, .reserved = 0, .identity = identity};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    return header;
}

void append_bytes(std::vector<u8>& to, const void* data, std::size_t size) {
    const u8* first = static_cast<const u8*>(data);
    to.insert(to.end(), first, first + size);
}

template <class Value>
bool load(std::span<const u8> content, Value& value) {
    LoadingVisitor loading(content);
    value.fields(loading);
    return loading.status().ok();
}

bool take_record(u32 type, std::span<const u8> content, LoggedResults& results) {
    if (type == kRunRecord) {
        RunSummary run;
        if (!load(content, run) || static_cast<u8>(run.outcome.kind) >= history::kOutcomeKinds)
            return false;
        results.runs.push_back(std::move(run));
        return true;
    }
    history::FileRecord files;
    if (type != kFilesRecord || !load(content, files))
        return false;
    merge(results.files, std::move(files));
    return true;
}

}  // namespace

Digest identity_of_exploration(const history::History& history, u64 first_seed) {
    history::History shared = history::without_result(history);
    shared.base.state = {};
    shared.tape = history::Tape::from_seed(first_seed);
    const Digest parts[2] = {digest_of(history::configuration_to_json(shared)),
                             digest_of(shared.input)};
    return digest_of({reinterpret_cast<const u8*>(parts), sizeof parts});
}

LoggedResults parse_results(std::span<const u8> file, Digest identity) {
    LoggedResults results;
    const FileHeader header = header_for(identity);
    if (file.size() < sizeof header || std::memcmp(file.data(), &header, sizeof header) != 0)
        return results;
    u64 offset = sizeof header;
    while (file.size() - offset >= sizeof(RecordHeader)) {
        RecordHeader record{};
        std::memcpy(&record, file.data() + offset, sizeof record);
        const std::span<const u8> rest = file.subspan(offset + sizeof record);
        if (record.size > rest.size())
            break;
        const std::span<const u8> content = rest.first(record.size);
        if (record.checksum != checksum_of(record, content, offset) ||
            !take_record(record.type, content, results))
            break;
        offset += sizeof record + record.size;
    }
    results.size = offset;
    return results;
}

ResultsLog::ResultsLog(std::string path, Digest identity, u64 size)
    : path_(std::move(path)), written_(size) {
    const FileHeader header = header_for(identity);
    if (size == 0)
        append_bytes(pending_, &header, sizeof header);
}

template <class Value>
void ResultsLog::append(u32 type, Value value) {
    SavingVisitor saving;
    value.fields(saving);
    const std::vector<u8>& content = saving.saved();
    if (content.size() > ~u32{0}) {
        status_ = Error{"one run has seen more of the host's files than a record can hold"};
        return;
    }
    RecordHeader header{.type = type, .size = static_cast<u32>(content.size()), .checksum = 0};
    header.checksum = checksum_of(header, content, written_ + pending_.size());
    append_bytes(pending_, &header, sizeof header);
    append_bytes(pending_, content.data(), content.size());
}

void ResultsLog::add(const history::FileRecord& files) {
    if (status_ && !files.empty())
        append(kFilesRecord, files);
}

void ResultsLog::add(const RunSummary& run, Outcome outcome) {
    if (!status_)
        return;
    RunSummary record = run;
    if (outcome == Outcome::kKnown)
        record.output.head = record.output.tail = "";
    append(kRunRecord, std::move(record));
}

void ResultsLog::flush_now_and_then(u64 now_nanoseconds) {
    if (now_nanoseconds - last_flush_ < kFlushInterval)
        return;
    last_flush_ = now_nanoseconds;
    static_cast<void>(flush().ok());
}

Status ResultsLog::flush() {
    if (!status_ || pending_.empty())
        return status_;
    status_ = host::write_private_file_at(path_, written_, pending_);
    written_ += pending_.size();
    pending_.clear();
    return status_;
}

}  // namespace uchronia::explore
