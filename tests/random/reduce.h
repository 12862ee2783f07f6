// Trials in processes of their own, so that a program that ends the process can be reduced as well.
#pragma once

#include <functional>
#include <string>

#include "tests/random/program.h"

namespace uchronia::random {

// What became of a trial: equal, different, or the signal that ended it.
struct Verdict {
    bool different = false;
    int signal = 0;
    bool failed() const { return different || signal != 0; }
};

// Runs `trial`, which says whether there is a difference, in a process of its own.
Verdict try_apart(const std::function<bool()>& trial);

// The fewest pieces with which it still fails, as far as leaving some out leads.
Mask reduce(Mask mask, const std::function<bool(const Mask&)>& trial);

}  // namespace uchronia::random
