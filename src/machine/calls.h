// Calls from outside to the agent in the guest: a command to start beside the running one, input
// for it, a window's size. Each is given at its moment, by a byte on the serial port that makes the
// agent ask what is wanted (docs/hypercalls.md, "Visits").
//
// Calls are part of the history, like the tape: how many were given and taken is state of the
// machine, what they are comes from a source that gives the same answers at every run.
#pragma once

#include <span>
#include <vector>

#include "base/fields.h"
#include "base/types.h"

namespace uchronia::machine {

struct Call {
    // It is given where both are first reached; the machine's own, not the run's.
    Ticks tick;
    VirtualTime time;
    bool begins_visit = false;
    std::vector<u8> message;  // guest/hypercall.h
};

class CallSource {
  public:
    virtual ~CallSource() = default;
    // The call number `index`, in the order of their moments; null: there are no more yet. Valid
    // until the next one is added.
    virtual const Call* call(u64 index) = 0;
    // What the standard input of a visit has at `offset`; fewer bytes only at its end.
    virtual u64 visit_input(u64 visit, u64 offset, std::span<u8> bytes) = 0;
};

// How far the calls have come.
struct CallCounters {
    u64 given = 0;         // to the serial port
    u64 taken = 0;         // by the agent
    u64 begun = 0;         // visits among those given
    u64 active = 0;        // 1: the last of these has not ended
    u64 input_offset = 0;  // of its standard input

    void fields(FieldVisitor& v) {
        v("given", given);
        v("taken", taken);
        v("begun", begun);
        v("active", active);
        v("input_offset", input_offset);
    }
};

}  // namespace uchronia::machine
