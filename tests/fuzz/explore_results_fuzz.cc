// A damaged file of an exploration's results gives a part of the results, also where its checksums
// fit; and what can be read is written and read again as the same.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "explore/results_log.h"
#include "host/files.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

// docs/format-explore-results.md.
constexpr u64 kFileHeader = 32, kRecordHeader = 16, kChecksum = 8;
constexpr Digest kIdentity{1, 2};

// Makes all checksums fit.
void seal(std::vector<u8>& file) {
    for (u64 at = kFileHeader; at + kRecordHeader <= file.size();) {
        u32 type_and_size[2];
        std::memcpy(type_and_size, file.data() + at, sizeof type_and_size);
        const u64 size = type_and_size[1];
        if (size > file.size() - at - kRecordHeader)
            return;
        const u64 fields[3] = {type_and_size[0], size, at};
        const u64 seed = digest_of({reinterpret_cast<const u8*>(fields), sizeof fields}).low;
        const u64 checksum =
            digest_of(std::span<const u8>(file).subspan(at + kRecordHeader, size), seed).low;
        std::memcpy(file.data() + at + kChecksum, &checksum, sizeof checksum);
        at += kRecordHeader + size;
    }
}

std::vector<u8> written(const explore::LoggedResults& results) {
    explore::ResultsLog log("", kIdentity, 0);
    log.add(results.files);
    for (const explore::RunSummary& run : results.runs)
        log.add(run, explore::ResultsLog::Outcome::kNew);
    return log.unwritten();
}

explore::LoggedResults example() {
    explore::LoggedResults results;
    results.files.attributes["/usr"] = {.error = 0, .value = {.mode = 0x41ed}};
    results.files.links["/bin"] = {.error = 0, .value = "usr/bin"};
    results.files.blocks[{"/usr/x", 0, 4096}] = {
        .error = 0, .value = {.size = 2, .digest = {1, 1}, .bytes = {}}};
    for (u64 i = 0; i < 3; ++i)
        results.runs.push_back({.outcome = {history::OutcomeKind::kExited, i, "why"},
                                .output = {.digest = {i, i}, .size = 3, .head = "abc", .tail = ""},
                                .ticks = Ticks(i),
                                .time = VirtualTime(i)});
    return results;
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    const std::vector<u8> file = written(example());
    CHECK(explore::parse_results(file, kIdentity).size == file.size());
    return {file};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    std::vector<u8> file(data, data + size);
    CHECK(explore::parse_results(file, fuzz::kIdentity).size <= size);
    fuzz::seal(file);
    const explore::LoggedResults results = explore::parse_results(file, fuzz::kIdentity);
    if (results.size == 0)
        return 0;
    const explore::LoggedResults again =
        explore::parse_results(fuzz::written(results), fuzz::kIdentity);
    CHECK(again.runs == results.runs && again.files == results.files);
    explore::Results counted(0);
    for (const explore::RunSummary& run : results.runs)
        counted.add(run);
    CHECK(counted.runs() == results.runs.size());
    return 0;
}
