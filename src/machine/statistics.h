// What a run cost the host, as a plain list of numbers for people and programs to read.
//
// Nothing here is state of the machine, and nothing of the guest depends on it: engines and caches
// may count differently for one and the same history.
#pragma once

#include <string_view>
#include <vector>

#include "machine/machine.h"

namespace uchronia::machine {

struct Counter {
    std::string_view name;  // lower-case words
    u64 value = 0;
    std::string_view unit;  // "instructions", "bytes"; empty if the name says it
};

// In the order in which they are shown.
std::vector<Counter> counters_of(const Machine::Statistics& statistics);

}  // namespace uchronia::machine
