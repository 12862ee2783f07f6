// Executes one instruction on the host CPU, with all its registers and memory under our control.
//
// The instruction lies in a code page of this process; a trampoline loads the state, jumps there
// and comes back through a jump behind the instruction, or through a signal if it faulted or
// branched. One NativeCPU may exist at a time: the trampoline's context lies at a fixed address.
#pragma once

#include <span>

#include "tests/witness/state.h"

namespace uchronia::witness {

enum class Ending : u8 {
    kFallsThrough,  // goes on behind the instruction, or faults
    kBranches,      // may go on anywhere in the code page
};

class NativeCPU {
  public:
    NativeCPU();
    ~NativeCPU();
    NativeCPU(const NativeCPU&) = delete;
    NativeCPU& operator=(const NativeCPU&) = delete;

    // The writable data pages, at kData.
    std::span<u8> data() { return {reinterpret_cast<u8*>(kData), kWritableBytes}; }
    // The page that the instruction can only read.
    void set_read_only_page(std::span<const u8> bytes);

    Outcome run(std::span<const u8> instruction, const State& before, Ending ending);
};

}  // namespace uchronia::witness
