// A recorded history in which one can go to any moment, forwards and backwards.
//
// Checkpoints are laid on the way, in memory and on disk, so that a moment which was once passed is
// near to one of them, in this process and in later ones. Where they lie changes how long a seek
// takes, and nothing else.
//
// In memory there are more of them near to where one is, and fewer far away: with each that is too
// many, the one goes whose neighbours are nearest to each other, as seen from here.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "history/kept_moments.h"
#include "history/moment.h"
#include "history/stepped_run.h"

namespace uchronia::history {

struct TimelineOptions {
    SteppedRunOptions run = {};
    // Bytes that the checkpoints in memory may take.
    u64 memory_budget = u64{2} << 30;
    u64 spacing = u64{1} << 26;  // ticks from one to the next; near to where one is there are more
    KeptMomentsOptions kept = {};  // on disk
    // Called every now and then while a seek runs the history.
    std::function<void(Ticks, VirtualTime)> on_progress = {};
};

class Timeline {
  public:
    // At the history's start. `base` and `files` (null: none) must outlive it. Errors: as those of
    // SteppedRun::start.
    static Result<std::unique_ptr<Timeline>> open(const machine::BaseImage& base, History history,
                                                  host::FileSource* files,
                                                  const TimelineOptions& options);

    // Goes to a moment, or to the history's end if that comes first; interrupt() ends it before.
    Status seek(const Moment& moment);
    // The latest checkpoint in memory before `tick` (0: the start).
    Ticks checkpoint_before(Ticks tick) const;
    // Lays a checkpoint here, in memory.
    void lay_checkpoint();

    Ticks ticks() const { return run_->ticks(); }
    VirtualTime time() const { return run_->time(); }
    // How the history ended, if this is its end.
    const std::optional<Outcome>& end() const { return run_->end(); }
    machine::Machine& machine() { return run_->machine(); }
    SteppedRun& run() { return *run_; }

    // Checkpoints in memory.
    std::size_t laid_count() const { return laid_.size(); }
    // Why checkpoints are not kept on disk, though they should be; empty: they are.
    const std::string& disk_failure() const { return kept_.failure(); }

  private:
    explicit Timeline(const TimelineOptions& options) : options_(options), kept_(options.kept) {}

    struct Laid {
        VirtualTime time;
        SteppedRun::Mark mark;
    };
    struct Here {
        Moment moment;
        Ticks tick;
        VirtualTime time;
    };
    bool is_here(const Moment& moment) const;
    Status go_near(const Moment& moment, bool is_past);
    Ticks next_stop(const Moment& moment) const;
    const memory::RAMSnapshot& start_ram() const {
        return *laid_.begin()->second.mark.checkpoint.ram;
    }
    void thin_out();

    const TimelineOptions options_;
    KeptMoments kept_;  // outlives the machine
    std::unique_ptr<SteppedRun> run_;
    std::map<Ticks, Laid> laid_;
    std::optional<Here> here_;  // of the last seek
};

}  // namespace uchronia::history
