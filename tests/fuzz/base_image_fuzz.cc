// A damaged base image gives an Error, also where its checksums fit; and what can be opened can be
// started and run.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "machine/base_image.h"
#include "tests/fuzz/environment.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

// docs/format-base-image.md.
constexpr u64 kCPUModel = 80, kIndexOffset = 88, kPageCount = 96, kStateOffset = 104,
              kStateSize = 112, kPagesOffset = 120, kContentDigest = 128, kHeaderDigest = 144,
              kIndexEntry = 24;

u64 number_at(const std::vector<u8>& bytes, u64 offset) {
    u64 value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}
void put(std::vector<u8>& bytes, u64 offset, auto value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
}

// Makes all checksums fit, as far as the parts lie inside the file.
void seal(std::vector<u8>& file) {
    const auto is_inside = [&](u64 offset, u64 size) {
        return offset <= file.size() && size <= file.size() - offset;
    };
    if (!is_inside(0, kPageSize))
        return;
    const std::span<const u8> bytes(file);
    const u64 count = std::min(number_at(file, kPageCount), file.size() / kPageSize);
    const u64 index = number_at(file, kIndexOffset), pages = number_at(file, kPagesOffset);
    for (u64 i = 0; i < count; ++i) {
        if (is_inside(index + i * kIndexEntry, kIndexEntry) &&
            is_inside(pages + i * kPageSize, kPageSize))
            put(file, index + i * kIndexEntry + 8,
                digest_of(bytes.subspan(pages + i * kPageSize, kPageSize)));
    }
    const u64 content = number_at(file, kStateOffset) + number_at(file, kStateSize) - index;
    if (is_inside(index, content))
        put(file, kContentDigest, digest_of(bytes.subspan(index, content)));
    put(file, kHeaderDigest, digest_of(bytes.first(kHeaderDigest)));
}

Result<std::unique_ptr<machine::BaseImage>> open_bytes(const std::vector<u8>& bytes) {
    const int file = memfd_create("base image", 0);
    CHECK(file >= 0 && write(file, bytes.data(), bytes.size()) == static_cast<i64>(bytes.size()));
    auto image = machine::BaseImage::open("/proc/self/fd/" + std::to_string(file), {});
    close(file);
    return image;
}

void start(const machine::BaseImage& image) {
    if (image.config().memory_size > u64{64} << 20)
        return;
    memory::FrameStore frames;
    machine::Machine machine(frames, image.config());
    if (!image.start(machine, frames))
        return;
    FixedDecisions decisions;
    RememberingOutside outside;
    machine.set_environment(
        {.decisions = &decisions, .outside = &outside, .files = nullptr, .request = {}});
    machine.run(machine.ticks() + Ticks(50), machine.now() + VirtualTime(1'000'000));
}

}  // namespace

// A machine with four pages of RAM that are not zero.
std::vector<std::vector<u8>> seeds() {
    memory::FrameStore frames;
    machine::Machine machine(frames, kSmallMachine);
    for (u64 page = 0; page < 4; ++page)
        machine.ram().store(PhysicalAddress((page * 5 + 1) * kPageSize), page + 1);
    const machine::Checkpoint checkpoint = machine.checkpoint();
    const u64 state = kPageSize + 4 * kIndexEntry;
    const u64 pages = (state + checkpoint.state.size() + kPageMask) & ~kPageMask;
    std::vector<u8> file(pages + 4 * kPageSize);
    std::memcpy(file.data(), "UCHRBASE", 8);
    put(file, 8, u32{2});
    put(file, 12, u32{1});
    put(file, 16, kSmallMachine.memory_size);
    put(file, kCPUModel, u64{3});
    put(file, kIndexOffset, u64{kPageSize});
    put(file, kPageCount, u64{4});
    put(file, kStateOffset, state);
    put(file, kStateSize, u64{checkpoint.state.size()});
    put(file, kPagesOffset, pages);
    std::copy(checkpoint.state.begin(), checkpoint.state.end(),
              file.begin() + static_cast<i64>(state));
    for (u64 i = 0; i < 4; ++i) {
        put(file, kPageSize + i * kIndexEntry, i * 5 + 1);
        put(file, pages + i * kPageSize, i + 1);
    }
    seal(file);
    CHECK(open_bytes(file).ok());
    // Found before: a page outside RAM, and a memory size that cannot be.
    std::vector<u8> outside = file, odd = file;
    put(outside, kPageSize, u64{1} << 40);
    put(odd, 16, u64{3});
    return {file, outside, odd};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    std::vector<u8> bytes(data, data + size);
    fuzz::seal(bytes);
    const auto image = fuzz::open_bytes(bytes);
    if (image)
        fuzz::start(**image);
    return 0;
}
