// Whatever code a guest runs, with whatever page tables, in ring 0 or 3, on one vCPU or two: no
// input makes the host program fail or hang, and the history does not depend on how the run is cut
// into pieces.
#include "tests/fuzz/guest.h"
#include "tests/fuzz/pieces.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {

std::vector<std::vector<u8>> seeds() {
    return {};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    using namespace uchronia::fuzz;
    Input input(data, size);
    memory::FrameStore frames;
    machine::MachineConfig config = kSmallMachine;
    if (input.percent(40))
        config.vcpu_count = 2;
    machine::Machine machine(frames, config);
    make_guest(input, machine);
    check_pieces(input, machine, 64 + input.below(2000));
    return 0;
}
