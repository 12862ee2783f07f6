// A recorded history in which one can go to any moment, forwards and backwards, and branch.
//
// Checkpoints are laid on the way, in memory and on disk, so that a moment which was once passed is
// near to one of them, in this process and in later ones. Where they lie changes how long a seek
// takes, and nothing else.
//
// A branch is another history with a common past: up to its first moment it is the one that it was
// made from, from there on another seed decides. So branches are a tree, whose checkpoints share
// their pages, and one budget; where a checkpoint was dropped, the run comes there again from an
// earlier one, of the branch or of one before it. On disk there are only those of the recorded
// history.
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

// Of a timeline; they are not used twice.
using BranchNumber = u32;
inline constexpr BranchNumber kRecorded = 0;  // the history itself

class Timeline {
  public:
    // At the history's start. `base` and `files` (null: none) must outlive it. Errors: as those of
    // SteppedRun::start.
    static Result<std::unique_ptr<Timeline>> open(const machine::BaseImage& base, History history,
                                                  host::FileSource* files,
                                                  const TimelineOptions& options);

    // Goes to a moment of the present branch, or to its end if that comes first; interrupt() ends
    // it before.
    Status seek(const Moment& moment);
    // The same in another branch, which becomes the present one. It must exist.
    Status seek(BranchNumber branch, const Moment& moment);
    // A new branch from here, in which `seed` decides; it becomes the present one. `timeout`: as
    // for Session::branch. Errors: this is an end.
    Result<BranchNumber> branch(u64 seed, VirtualTime timeout = kNever);
    // Forgets a branch, which must have no branches, and be neither the present one nor the
    // recorded history.
    void drop(BranchNumber branch);

    // The latest checkpoint in memory before `tick` (0: the start).
    Ticks checkpoint_before(Ticks tick) const;
    // Lays a checkpoint here, in memory.
    void lay_checkpoint();

    Ticks ticks() const { return run_->ticks(); }
    VirtualTime time() const { return run_->time(); }
    // How the present branch ended, if this is its end.
    const std::optional<Outcome>& end() const { return run_->end(); }
    machine::Machine& machine() { return run_->machine(); }
    // The run of the present branch.
    SteppedRun& run() { return *run_; }

    // Checkpoints in memory.
    std::size_t laid_count() const { return laid_count_; }
    // Why checkpoints are not kept on disk, though they should be; empty: they are.
    const std::string& disk_failure() const { return kept_.failure(); }

  private:
    explicit Timeline(const TimelineOptions& options) : options_(options), kept_(options.kept) {}

    struct Laid {
        VirtualTime time;
        SteppedRun::Mark mark;
    };
    using LaidByTick = std::map<Ticks, Laid>;
    struct Branch {
        BranchNumber parent = kRecorded;
        Ticks from = {};  // what comes before this tick is the parent's
        VirtualTime from_time = {};
        Course course = {};  // while it is not the present one
        LaidByTick laid = {};
    };
    struct Here {
        Moment moment;
        Ticks tick;
        VirtualTime time;
    };
    bool is_here(const Moment& moment) const;
    BranchNumber owner_here() const;
    const Branch* first_branch(BranchNumber branch) const;
    template <class IsGood>
    const LaidByTick::value_type& latest(BranchNumber branch, const IsGood& is_good) const;
    Status go_near(BranchNumber branch, const Moment& moment);
    bool go_near_by_disk(BranchNumber branch, const Moment& moment, Ticks tick);
    Ticks next_stop(const Moment& moment) const;
    const memory::RAMSnapshot& start_ram() const {
        return *branches_.at(kRecorded).laid.begin()->second.mark.checkpoint.ram;
    }
    void thin_out();

    const TimelineOptions options_;
    KeptMoments kept_;  // outlives the machine
    std::unique_ptr<SteppedRun> run_;
    std::map<BranchNumber, Branch> branches_;
    BranchNumber present_ = kRecorded;
    BranchNumber last_number_ = kRecorded;
    std::size_t laid_count_ = 0;
    std::optional<Here> here_;  // of the last seek, in the present branch
};

}  // namespace uchronia::history
