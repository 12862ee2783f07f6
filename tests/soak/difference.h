// Finds the first tick at which two ways of running a guest differ, and shows it.
#pragma once

#include <functional>

#include "tests/soak/guest.h"

namespace uchronia::soak {

// A way to run on from a checkpoint to a tick: on a new guest each time, so that trials do not
// disturb each other.
struct Manner {
    const char* name;
    std::function<std::unique_ptr<Guest>(u64 tick)> run;
};

// Searches (begin, end] by halves, and prints instruction, fields and bytes of memory. False if the
// two do not differ at `end`: the difference needs what was cached before.
bool show_first_difference(const Manner& one, const Manner& other, u64 begin, u64 end);

}  // namespace uchronia::soak
