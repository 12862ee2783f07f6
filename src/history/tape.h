// The tape: where all of a history's decisions come from (design, section 5).
//
// A word is random_word(seed, stream of its kind and machine, counter) with the seed that holds at
// the moment when it is drawn, unless an override names its kind and counter. Moments count ticks
// from the run's start, not from the machine's.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "machine/decisions.h"

namespace uchronia::history {

// From this moment on, this seed.
struct SeedChange {
    Ticks from;
    u64 seed = 0;

    bool operator==(const SeedChange&) const = default;
};

struct Override {
    machine::DecisionKind kind = machine::DecisionKind::kEntropy;
    u64 counter = 0;
    u64 value = 0;

    bool operator==(const Override&) const = default;
};

// In ticks from the run's start.
using machine::Hold;

struct Tape {
    std::vector<SeedChange> seeds;    // the first one from tick 0; strictly ascending
    std::vector<Override> overrides;  // at most one for each kind and counter
    std::vector<Hold> holds = {};     // in the order of their ticks

    static Tape from_seed(u64 seed) { return {.seeds = {{Ticks(0), seed}}, .overrides = {}}; }

    // Beside those that are there.
    void add(const Hold& hold);

    // Whether it is as the comments above say.
    Status check() const;
    // Whether it is for a machine with so many vCPUs.
    Status check_vcpus(u32 vcpu_count) const;
    u64 seed_at(Ticks moment) const;

    bool operator==(const Tape&) const = default;
};

// Reads a tape for one machine, whose run starts at `origin` of its own ticks.
class TapeReader final : public machine::DecisionSource {
  public:
    // `tape` passes its check.
    TapeReader(Tape tape, Ticks origin);

    u64 word(machine::DecisionKind kind, u64 counter, Ticks moment) override;
    std::optional<Hold> hold(u64 index) override;

  private:
    Tape tape_;
    Ticks origin_;
    std::map<std::pair<machine::DecisionKind, u64>, u64> overrides_;
};

// The stream number of a kind: the kind in the low byte, the machine's index in its world above.
u64 stream_of(machine::DecisionKind kind, u64 machine_index);

}  // namespace uchronia::history
