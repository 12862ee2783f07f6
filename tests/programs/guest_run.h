// One run of a command on a fresh machine, in one of the ways that must all give the same history.
#pragma once

#include <string>
#include <vector>

#include "base/hash.h"
#include "machine/base_image.h"

namespace uchronia::tests {

// How the run is cut up: nothing of it may show in the result.
enum class Way {
    kPlain,              // as uchronia run does it
    kOddBudgets,         // in pieces of odd numbers of ticks, with all caches dropped now and then
    kThroughCheckpoint,  // set back to an arbitrary tick after going on for a while
    kInterpreter,        // by the interpreter alone
    kBothEngines,        // in pieces by one engine and the other, all code translated at once
};

struct GuestResult {
    std::string output;  // standard output
    std::string errors;  // standard error, kernel reports and agent messages
    bool ended = false;  // by itself: exit_status is valid
    std::string stop;    // why it stopped
    u64 exit_status = 0;
    u64 ticks = 0;
    Digest state;

    // Everything that must be equal between two runs of one history, for EXPECT_EQ.
    std::string summary() const;
};

// Runs `sh -c script` in `folder` (shared, read-only) with `seed`. Failures of the host are fatal.
GuestResult run_in_guest(const machine::BaseImage& base, const std::string& script,
                         const std::string& folder, u64 seed, Way way);

}  // namespace uchronia::tests
