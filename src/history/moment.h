// A place in a history, as people name it: by tick, by virtual time, or its end. Both count from
// the run's start.
#pragma once

#include "base/types.h"

namespace uchronia::history {

struct Moment {
    // The first place at which both are reached; past the history's end it is the end.
    Ticks tick{0};
    VirtualTime time{0};

    static Moment at(Ticks tick) { return {.tick = tick}; }
    static Moment at(VirtualTime time) { return {.time = time}; }
    static Moment end() { return {.tick = Ticks(~u64{0}), .time = kNever}; }

    bool operator==(const Moment&) const = default;
};

}  // namespace uchronia::history
