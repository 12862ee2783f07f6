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

// Whether it is a time, and not a tick or the end.
bool names_a_time(const Moment& moment);

// How a state was come to. Virtual time may pass between two ticks, so a run to a time ends where a
// run to the tick that it is at would not: only the first state with its number of ticks is that
// tick's.
enum class Arrival : u8 { kByTick, kByTime };

// Whether a state is there, or later.
bool has_come_to(const Moment& moment, Ticks tick, VirtualTime time);

// Whether one comes from a state to the moment by running on, or is there.
bool leads_to(Ticks tick, VirtualTime time, Arrival arrival, const Moment& moment);

}  // namespace uchronia::history
