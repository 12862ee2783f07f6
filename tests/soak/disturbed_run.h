// Runs a guest in random pieces, with everything done to it between them that must not change
// anything: caches dropped, checkpoints, excursions that are undone, the other engine.
#pragma once

#include <array>
#include <string>

#include "tests/soak/guest.h"
#include "tests/witness/random.h"

namespace uchronia::soak {

enum class Disturbance : u8 {
    kDropCaches,   // mappings, decoded and translated code
    kHeat,         // translates sooner, or later
    kInterpreter,  // runs a piece
    kDigest,
    kSetBackAtOnce,  // checkpoint, restored where it was taken
    kExcursion,      // checkpoint, a piece more, restored
    kSetBack,        // to a checkpoint of an earlier tick, and runs from there again
    kNothing,        // a short piece
    kCount
};

using DisturbanceCounts = std::array<u64, static_cast<std::size_t>(Disturbance::kCount)>;

// "caches dropped 3, ...".
std::string to_text(const DisturbanceCounts& counts);

// Runs to `tick`, or to an earlier end, with what `random` makes of it.
machine::StopReason run_disturbed(Guest& guest, u64 tick, witness::Random random,
                                  DisturbanceCounts& counts);

}  // namespace uchronia::soak
