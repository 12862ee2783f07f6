// A damaged history file gives an Error, also where its checksums fit; and what can be read is
// written and read again as the same.
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"
#include "history/history_file.h"
#include "history/sample_visits.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

// docs/format-history.md.
constexpr u64 kFileHeader = 16, kSectionHeader = 40, kEncoding = 4, kStoredSize = 8,
              kContentSize = 16, kDigest = 24;

// Calls `use(header offset, stored size)` for each whole section.
template <class Use>
void for_each_section(const std::vector<u8>& file, Use use) {
    for (u64 at = kFileHeader; at + kSectionHeader <= file.size();) {
        const u64 stored = value_at<u64>(file, at + kStoredSize);
        if (stored > file.size() - at - kSectionHeader)
            return;
        use(at, stored);
        at += kSectionHeader + stored;
    }
}

// Makes all checksums fit.
void seal(std::vector<u8>& file) {
    for_each_section(file, [&](u64 at, u64 stored) {
        const std::span<const u8> bytes(file);
        const Digest fields = digest_of(bytes.subspan(at, kDigest));
        const Digest digest = digest_of(bytes.subspan(at + kSectionHeader, stored), fields.low);
        std::memcpy(file.data() + at + kDigest, &digest, sizeof digest);
    });
}

// The same without compression, so that mutations reach the contents.
std::vector<u8> unpacked(const std::vector<u8>& file) {
    std::vector<u8> result(file.begin(), file.begin() + kFileHeader);
    for_each_section(file, [&](u64 at, u64 stored) {
        const u64 size = value_at<u64>(file, at + kContentSize);
        std::vector<u8> content(size);
        const u8* from = file.data() + at + kSectionHeader;
        if (file[at + kEncoding] != 0)
            CHECK(ZSTD_decompress(content.data(), size, from, stored) == size);
        else
            std::copy_n(from, stored, content.begin());
        const u64 header = result.size();
        result.insert(result.end(), file.begin() + static_cast<i64>(at),
                      file.begin() + static_cast<i64>(at + kSectionHeader));
        result[header + kEncoding] = 0;
        std::memcpy(result.data() + header + kStoredSize, &size, sizeof size);
        result.insert(result.end(), content.begin(), content.end());
    });
    return result;
}

history::History example() {
    history::History history;
    history.base.image = {1, 2};
    history.base.state = {3, 4};
    history.base.kernel_name = "linux";
    history.base.memory_size = u64{1} << 30;
    history.request.arguments = {"sh", "-c", "exit 3"};
    history.request.environment = {"A=\xff"};
    history.files = {.working_folders = {"/w"}, .system_folders = {"/usr"}, .hidden = {"/proc"}};
    history.tape = history::Tape::from_seed(7);
    history.input = {'a', 'b', 0};
    history.result = history::RunResult{
        .outcome = {.kind = history::OutcomeKind::kExited, .code = 3, .detail = ""},
        .ticks = Ticks(100),
        .time = VirtualTime(200),
        .state = {5, 6}};
    history.chain.components = {"machine", "ram"};
    history.chain.links = {{Ticks(100), VirtualTime(200), {5, 6}, {{7, 8}, {9, 10}}}};
    history.record.attributes["/usr"] = {.error = 0, .value = {.mode = 0x41ed}};
    history.record.links["/bin"] = {.error = 0, .value = "usr/bin"};
    history.record.listings["/usr"] = {.error = 0,
                                       .value = std::make_shared<const host::DirectoryListing>(1)};
    history.record.blocks[{"/usr/x", 0, 4096}] = {
        .error = 0, .value = {.size = 2, .digest = {1, 1}, .bytes = {1, 2}}};
    return history;
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    const std::vector<u8> file = history::serialise_history(example());
    CHECK(history::parse_history(file, "example").ok());
    history::History held = example();
    held.tape.holds = {{Ticks(5), 0, VirtualTime(9)}, {Ticks(8), 0, VirtualTime(10)}};
    history::History visited = example();
    visited.visits = history::sample_visits();
    return {file, unpacked(file), unpacked(file), unpacked(history::serialise_history(held)),
            unpacked(history::serialise_history(visited))};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    std::vector<u8> file(data, data + size);
    static_cast<void>(history::parse_history(file, "input").ok());
    fuzz::seal(file);
    const auto history = history::parse_history(file, "input");
    if (!history)
        return 0;
    std::vector<history::Visit> visits = history->visits;
    const history::VisitCalls calls(visits, Ticks(1), VirtualTime(1));
    const auto again = history::parse_history(history::serialise_history(*history), "again");
    CHECK(again.ok() && *again == *history);
    return 0;
}
