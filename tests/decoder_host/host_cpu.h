// Executes byte strings on the host CPU, one instruction each, at the end of a page behind which
// nothing is mapped.
//
// The instruction runs with all registers zero but RSP, and nothing within 2 GiB of what it can
// address. It ends in a signal whatever it is: it faults, or the next fetch does, behind the page.
// So the trap flag is set only for what may branch into the page: under a hypervisor #DB costs four
// times as much as #PF. The handler of the signal judges the outcome and returns into the next
// string: an attempt costs one signal.
#pragma once

#include <array>

#include "base/types.h"

namespace uchronia::decoder_host {

inline constexpr unsigned kLongest = 15;

enum class Outcome : u8 {
    kExecuted,   // or a fault that is not listed here
    kUndefined,  // #UD
    kNeedsMore,  // fetched from the page behind
    kShorter,    // went on to bytes of the attempt
};

enum class Flow : u8 {
    kFallsThrough,  // to the next instruction, or faults
    kLeaves,        // the same, or goes to where nothing is mapped
    kBranches,      // anywhere
};

// What to execute next: `size` bytes.
struct Attempt {
    std::array<u8, kLongest> bytes{};
    unsigned size = 0;
    Flow flow = Flow::kBranches;
};

// Gives the next attempt, told the outcome of the one before; false ends the run. Runs in a signal
// handler, on an alternate stack.
class Attempts {
  public:
    virtual ~Attempts() = default;
    virtual bool next(Attempt& attempt) = 0;
    virtual void outcome(Outcome outcome) = 0;
};

// May be called once in a process. False if the host does not give the memory for it.
bool execute(Attempts& attempts);

}  // namespace uchronia::decoder_host
