// A small guest that a fuzz target makes up: page tables, descriptor tables, random code and
// registers, in a machine with 2 MiB of RAM.
//
// Most of it makes sense, so that code runs for a while: the first 2 MiB are mapped one to one,
// once more in the upper half, and as large pages; device registers are mapped; every interrupt has
// a handler. Then some of all that is replaced by anything.
#pragma once

#include "machine/machine.h"
#include "tests/fuzz/instructions.h"

namespace uchronia::fuzz {

inline const machine::MachineConfig kSmallMachine = {.memory_size = u64{2} << 20, .vcpu_count = 1};

// Puts the guest into a new machine.
void make_guest(Input& input, machine::Machine& machine);

}  // namespace uchronia::fuzz
