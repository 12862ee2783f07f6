// A damaged bundle gives an Error, also where its checksums fit; what can be opened can be looked
// at, and every part of it is taken or refused.
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "history/bundle.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

// docs/format-bundle.md.
constexpr u64 kEntryCount = 12, kTableDigest = 16, kTable = 32, kEntry = 48;
constexpr u64 kOffset = 8, kStoredSize = 16, kDigest = 32;

template <class T>
T value_at(const std::vector<u8>& bytes, u64 offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

// Makes all checksums fit, as far as the parts lie inside the file; those of packed contents are
// left as they are.
void seal(std::vector<u8>& file) {
    if (file.size() < kTable)
        return;
    const u64 count =
        std::min<u64>(value_at<u32>(file, kEntryCount), (file.size() - kTable) / kEntry);
    const std::span<const u8> bytes(file);
    for (u64 i = 0; i < count; ++i) {
        const u64 entry = kTable + i * kEntry;
        const u64 offset = value_at<u64>(file, entry + kOffset),
                  size = value_at<u64>(file, entry + kStoredSize);
        if (value_at<u32>(file, entry + 4) != 0 || offset > file.size() ||
            size > file.size() - offset)
            continue;
        const Digest digest = digest_of(bytes.subspan(offset, size));
        std::memcpy(file.data() + entry + kDigest, &digest, sizeof digest);
    }
    const Digest fields = digest_of(bytes.first(kTableDigest));
    const Digest digest = digest_of(bytes.subspan(kTable, count * kEntry), fields.low);
    std::memcpy(file.data() + kTableDigest, &digest, sizeof digest);
}

void use(const std::vector<u8>& file) {
    const Result<history::Bundle> bundle = history::Bundle::open(file, "input");
    if (!bundle)
        return;
    for (const history::BundleEntry& entry : bundle->entries()) {
        const auto content = bundle->take(entry);
        CHECK(!content || digest_of(std::span<const u8>(*content)) == entry.digest);
    }
    static_cast<void>(bundle->base_image());
    const Result<history::History> history = bundle->history();
    if (!history)
        return;
    history::History rest = *history;
    static_cast<void>(history::leave_out(rest, {"/usr", "*x"}));
    const auto needed = history::needed_contents(rest);
    const auto files =
        history::read_files(rest, [&](Digest digest) { return bundle->has_content(digest); });
    CHECK(needed.empty() || !files.empty());
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    const std::vector<u8> content(300, 'c');
    history::History history;
    history.request.arguments = {"true"};
    history.base.memory_size = u64{1} << 30;
    history.tape = history::Tape::from_seed(7);
    history.record.blocks[{"/usr/x", 0, 4096}] = {
        .error = 0,
        .value = {.size = content.size(),
                  .digest = digest_of(std::span<const u8>(content)),
                  .bytes = {}}};
    history::BundleWriter small(history);
    history::BundleWriter whole(history);
    whole.add_content(digest_of(std::span<const u8>(content)), content);
    whole.add_base_image(std::vector<u8>(5000, 'b'));
    CHECK(history::Bundle::open(whole.finish(), "example").ok());
    return {small.finish(), whole.finish()};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    std::vector<u8> file(data, data + size);
    fuzz::use(file);
    fuzz::seal(file);
    fuzz::use(file);
    return 0;
}
