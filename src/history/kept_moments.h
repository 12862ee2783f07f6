// What a run of a history keeps on disk as it passes, and what it can start from: a checkpoint
// every so many ticks (checkpoint_store.h). Nothing that fails here ends a run.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "history/checkpoint_store.h"
#include "history/moment.h"

namespace uchronia::history {

struct KeptMomentsOptions {
    // Of this history alone; empty: nothing is kept.
    std::string folder = {};
    u64 spacing = u64{1} << 28;  // ticks; a multiple of the chain's interval
    u64 budget = u64{4} << 30;   // bytes of pages; then no more are kept
};

// Must outlive every machine that was taken to one of them.
class KeptMoments {
  public:
    explicit KeptMoments(const KeptMomentsOptions& options);

    // Takes the machine to the latest one that leads to `moment` and lies well after `tick`, if
    // there is one. `start`: its RAM at the history's first moment.
    std::optional<StoredMoment> restore_before(const Moment& moment, Ticks tick,
                                               machine::Machine& machine,
                                               memory::FrameStore& frames,
                                               const memory::RAMSnapshot& start);
    // Keeps where the machine is, if that is due.
    void pass(const StoredMoment& here, machine::Machine& machine,
              const memory::RAMSnapshot& start);

    // Why nothing is kept, though it should be; empty: all is well.
    const std::string& failure() const { return failure_; }

  private:
    const KeptMomentsOptions options_;
    CheckpointStore store_;
    std::set<StoredMoment> moments_;
    std::string failure_;
};

}  // namespace uchronia::history
