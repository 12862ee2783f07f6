// The property of all machines (engine.md, 6.4): from one state, a run to a tick ends in the same
// state however it is cut into pieces, whatever is cached, and through checkpoints on the way.
#pragma once

#include "machine/machine.h"
#include "tests/fuzz/input.h"

namespace uchronia::fuzz {

// Runs the machine from its present state for `ticks`, twice, and ends the program if the two
// differ. The machine is left at the end.
void check_pieces(Input& input, machine::Machine& machine, u64 ticks);

}  // namespace uchronia::fuzz
