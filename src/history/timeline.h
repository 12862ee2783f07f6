// A recorded history in which one can go to any moment, forwards and backwards.
//
// Checkpoints are laid on the way, so that a moment which was once passed is near to one of them.
// Where they lie changes how long a seek takes, and nothing else.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/result.h"
#include "history/moment.h"
#include "history/stepped_run.h"

namespace uchronia::history {

struct TimelineOptions {
    SteppedRunOptions run = {};
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
    // The latest moment before `tick` to which it can go back at once (0: the start).
    Ticks checkpoint_before(Ticks tick) const;
    // Lays a checkpoint here.
    void lay_checkpoint();

    Ticks ticks() const { return run_->ticks(); }
    VirtualTime time() const { return run_->time(); }
    // How the history ended, if this is its end.
    const std::optional<Outcome>& end() const { return run_->end(); }
    machine::Machine& machine() { return run_->machine(); }
    SteppedRun& run() { return *run_; }

  private:
    explicit Timeline(const TimelineOptions& options) : options_(options) {}

    struct Laid {
        VirtualTime time;
        SteppedRun::Mark mark;
    };
    Status go_back_before(const Moment& moment);
    void run_on(Ticks tick, VirtualTime time);
    void thin_out();

    const TimelineOptions options_;
    std::unique_ptr<SteppedRun> run_;
    std::map<Ticks, Laid> laid_;
};

}  // namespace uchronia::history
