// A state from a damaged checkpoint: it is refused, or the machine runs on from it, well defined.
#include "tests/fuzz/environment.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

void damage(Input& input, std::vector<u8>& state) {
    static constexpr u8 kBytes[] = {0, 1, 0x7f, 0x80, 0xff};
    for (u64 count = 1 + input.below(40); count != 0; --count) {
        const u64 at = input.below(state.size());
        const u8 byte = input.percent(50) ? input.pick(kBytes) : input.byte();
        const u64 size = input.percent(50) ? 1 : 1 + input.below(16);
        for (u64 i = at; i < at + size && i < state.size(); ++i)
            state[i] = byte;
    }
    if (input.percent(3))
        state.resize(input.below(state.size() + 1));
    if (input.percent(3))
        state.resize(state.size() + 1 + input.below(20));
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    return {};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    using namespace uchronia::fuzz;
    Input input(data, size);
    memory::FrameStore frames;
    machine::Machine machine(frames, kSmallMachine);
    make_guest(input, machine);
    FixedDecisions decisions;
    RememberingOutside outside;
    machine.set_environment(
        {.decisions = &decisions, .outside = &outside, .files = nullptr, .request = {}});
    machine.run(Ticks(1 + input.below(50)));
    machine::Checkpoint checkpoint = machine.checkpoint();
    damage(input, checkpoint.state);
    if (machine.restore(checkpoint).ok())
        check_pieces(input, machine, 64 + input.below(200));
    return 0;
}
