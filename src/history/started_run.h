// A history on its machine: what its runs have in common, whoever records, replays or steps through
// them. Ticks and times are from the run's start.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "history/content_store.h"
#include "history/history.h"
#include "machine/base_image.h"
#include "memory/frame_store.h"

namespace uchronia::history {

// Without an overflow: "never" stays so.
template <class T>
T saturating_sum(T a, T b) {
    return b.value > ~u64{0} - a.value ? T(~u64{0}) : a + b;
}

// What a history's future is decided by, given its present.
struct Course {
    Limits limits;
    Tape tape;
    std::vector<Visit> visits;
};

class StartedRun {
  public:
    // All must outlive it; no files and no store: null.
    StartedRun(History& history, machine::Machine& machine, host::FileSource* files,
               const ContentStore* store);

    // Puts the machine to the run's first moment; preemption has not begun. Errors: the base image
    // cannot be started, is not the history's, or the command is not one that can be given to the
    // guest.
    Status start(const machine::BaseImage& base, memory::FrameStore& frames,
                 machine::Outside& outside);

    // Runs to a tick or a time, or to a limit or an end before it.
    machine::StopReason run(Ticks tick, VirtualTime time = kNever);
    Ticks ticks() const { return machine_.ticks() - start_; }
    VirtualTime time() const { return machine_.now() - start_time_; }

    // The run's end, if this stop is one; not for Stop::kInterrupted. `console`: as for outcome_of.
    std::optional<Outcome> end_at(const machine::StopReason& reason,
                                  std::string_view console) const;

    // A visit of the guest's agent, from now on; its calls come after all that were given. Live
    // standard input for it, if `input` is not null, is recorded. Errors: it cannot be given.
    Status visit(Visit visit, VisitCalls::Input* input);
    // The last visit's terminal gets this now; `at` does not matter.
    void type(TerminalInput input);
    // Drops what comes from outside in the history's future: limits and visits.
    void forget_future();
    // From now on this seed decides all, without the history's limits; `timeout` is from now on,
    // too, and kNever leaves the history's own.
    void branch(u64 seed, VirtualTime timeout);
    // The history's future from the machine's present state, which lies on that course.
    Course course() const { return {history_.limits, history_.tape, history_.visits}; }
    void set_course(Course course);

    // Exact also in a call of machine::Outside.
    Ticks present_tick() const { return machine_.present_tick() - start_; }
    VirtualTime present_time() const { return machine_.present_time() - start_time_; }

    void append_to_chain() { history_.chain.append(machine_, start_, start_time_); }

    // A file of the host that is no longer as the history has it.
    std::optional<std::string> changed_file() const;
    // RecordedFiles::keep_contents.
    Status keep_contents();

  private:
    void set_tape();
    void set_calls();
    void change_seed(u64 seed);
    bool is_visited() const;

    History& history_;
    machine::Machine& machine_;
    std::unique_ptr<RecordedFiles> files_;
    std::unique_ptr<TapeReader> tape_;
    std::unique_ptr<VisitCalls> calls_;
    machine::RunEnvironment environment_;
    Ticks start_;
    VirtualTime start_time_;
};

}  // namespace uchronia::history
