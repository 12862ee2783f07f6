#include "tests/fuzz/small_image.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace uchronia::fuzz {

using namespace image_at;

std::vector<u8> image_of(machine::Machine& machine) {
    const machine::Checkpoint checkpoint = machine.checkpoint();
    const std::vector<u8> zeros(kPageSize);
    std::vector<u64> pages;
    for (u64 page = 0; page < checkpoint.ram->page_count(); ++page) {
        if (std::memcmp(checkpoint.ram->page(page), zeros.data(), kPageSize) != 0)
            pages.push_back(page);
    }
    const u64 state = kPageSize + pages.size() * kImageIndexEntry;
    const u64 contents = (state + checkpoint.state.size() + kPageMask) & ~kPageMask;
    std::vector<u8> file(contents + pages.size() * kPageSize);
    std::memcpy(file.data(), "UCHRBASE", 8);
    put(file, kVersion, u32{2});
    put(file, kVCPUs, u32{machine.config().vcpu_count});
    put(file, kMemorySize, machine.config().memory_size);
    put(file, kCPUModel, static_cast<u64>(machine.config().cpu_model));
    put(file, kIndexOffset, u64{kPageSize});
    put(file, kPageCount, u64{pages.size()});
    put(file, kStateOffset, state);
    put(file, kStateSize, u64{checkpoint.state.size()});
    put(file, kPagesOffset, contents);
    std::copy(checkpoint.state.begin(), checkpoint.state.end(),
              file.begin() + static_cast<i64>(state));
    for (u64 i = 0; i < pages.size(); ++i) {
        put(file, kPageSize + i * kImageIndexEntry, pages[i]);
        std::memcpy(file.data() + contents + i * kPageSize, checkpoint.ram->page(pages[i]),
                    kPageSize);
    }
    seal_image(file);
    return file;
}

void seal_image(std::vector<u8>& file) {
    const auto is_inside = [&](u64 offset, u64 size) {
        return offset <= file.size() && size <= file.size() - offset;
    };
    if (!is_inside(0, kPageSize))
        return;
    const std::span<const u8> bytes(file);
    const u64 count = std::min(value_at<u64>(file, kPageCount), file.size() / kPageSize);
    const u64 index = value_at<u64>(file, kIndexOffset), pages = value_at<u64>(file, kPagesOffset);
    for (u64 i = 0; i < count; ++i) {
        if (is_inside(index + i * kImageIndexEntry, kImageIndexEntry) &&
            is_inside(pages + i * kPageSize, kPageSize))
            put(file, index + i * kImageIndexEntry + 8,
                digest_of(bytes.subspan(pages + i * kPageSize, kPageSize)));
    }
    const u64 content = value_at<u64>(file, kStateOffset) + value_at<u64>(file, kStateSize) - index;
    if (is_inside(index, content))
        put(file, kContentDigest, digest_of(bytes.subspan(index, content)));
    put(file, kHeaderDigest, digest_of(bytes.first(kHeaderDigest)));
}

Result<std::unique_ptr<machine::BaseImage>> open_image(const std::vector<u8>& file) {
    const int memory = memfd_create("base image", 0);
    CHECK(memory >= 0 && write(memory, file.data(), file.size()) == static_cast<i64>(file.size()));
    auto image = machine::BaseImage::open("/proc/self/fd/" + std::to_string(memory), {});
    close(memory);
    return image;
}

}  // namespace uchronia::fuzz
