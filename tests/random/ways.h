// The ways in which a program is run, and comparing them.
#pragma once

#include <optional>

#include "tests/random/program.h"

namespace uchronia::random {

enum class Way : u8 {
    kInterpreter,           // the reference
    kTranslator,            // from the first execution on
    kDisturbedTranslator,   // with random pieces, dropped caches, checkpoints, engine switches
    kDisturbedInterpreter,  // the same without the translator
};
inline constexpr Way kWays[] = {Way::kTranslator, Way::kDisturbedTranslator,
                                Way::kDisturbedInterpreter};
const char* name_of(Way way);

struct Moment {
    u64 tick;
    Digest digest;
    bool operator==(const Moment&) const = default;
};

// A case: what is run, and the seed of what disturbs it.
struct Subject {
    const Program& program;
    Image image;
    u64 seed;
};

// Runs up to `end` (at most the program's ticks); the digests at the comparisons on the way, and at
// the end.
std::vector<Moment> run(Computer& computer, const Subject& subject, Way way, u64 end);

// Whether a way differs from the reference.
bool differs(Computer& reference, Computer& other, const Subject& subject, Way way);

// Some tick at which they differ although they did not one tick before, or none.
std::optional<u64> first_difference(Computer& reference, Computer& other, const Subject& subject,
                                    Way way);

}  // namespace uchronia::random
