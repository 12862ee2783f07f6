// The first moment at which two runs differ, and in what.
//
// What is compared is all that the guest could see. The machine's plans from the tape (when the
// next stall comes, when the turn ends, how many words were drawn) are left out: under two seeds
// they differ from the start, long before anything comes of them.
//
// The search runs both side by side, compares digests every so often, and halves the stretch in
// which they part, from checkpoints, down to a single tick. It relies on a difference staying: two
// states that have become equal again are taken for the same all along.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/state_io.h"
#include "history/stepped_run.h"

namespace uchronia::history {

// The digest of all but the plans.
Digest digest_without_plans(machine::Machine& machine);

struct FirstDifference {
    Ticks last_equal;  // here they are still the same; both runs can be taken back to it
    Ticks tick;        // the next tick; 0: they differ from the start
};

struct SearchOptions {
    // The most ticks between two comparisons.
    u64 stride = kChainInterval;
    // Called after each comparison with the tick up to which they are the same.
    std::function<void(Ticks)> on_progress = {};
    // Called with both runs at FirstDifference::last_equal, before they go on to `tick`.
    std::function<void(SteppedRun&, SteppedRun&)> at_last_equal = {};
};

struct SearchResult {
    bool interrupted = false;
    std::optional<FirstDifference> difference;  // nothing: the same to the end of both
};

// From the present moment of both, which is the run's start. Leaves them where they first differ,
// or at their ends.
Result<SearchResult> find_first_difference(SteppedRun& a, SteppedRun& b,
                                           const SearchOptions& options);

// A page of RAM whose contents differ.
struct PageDifference {
    u64 page_number = 0;
    unsigned offset = 0;      // of the first byte that differs
    unsigned byte_count = 0;  // that differ
    std::vector<u8> a, b;     // some bytes from there on
};

struct StateDifference {
    std::vector<FieldDifference> fields;  // registers and devices
    std::vector<FieldDifference> plans;   // what the search leaves out
    std::vector<PageDifference> pages;
};

// In what the present states differ.
StateDifference difference_of(machine::Machine& a, machine::Machine& b);

}  // namespace uchronia::history
