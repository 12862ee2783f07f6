// A damaged base image gives an Error, also where its checksums fit; and what can be opened can be
// started and run.
#include "base/check.h"
#include "tests/fuzz/environment.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/small_image.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

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
    const std::vector<u8> file = image_of(machine);
    CHECK(open_image(file).ok());
    // Found before: a page outside RAM, and a memory size that cannot be.
    std::vector<u8> outside = file, odd = file;
    put(outside, kPageSize, u64{1} << 40);
    put(odd, image_at::kMemorySize, u64{3});
    return {file, outside, odd};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    std::vector<u8> bytes(data, data + size);
    fuzz::seal_image(bytes);
    const auto image = fuzz::open_image(bytes);
    if (image)
        fuzz::start(**image);
    return 0;
}
