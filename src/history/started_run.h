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

    void append_to_chain() { history_.chain.append(machine_, start_, start_time_); }

    // A file of the host that is no longer as the history has it.
    std::optional<std::string> changed_file() const;
    // RecordedFiles::keep_contents.
    Status keep_contents();

  private:
    History& history_;
    machine::Machine& machine_;
    std::unique_ptr<RecordedFiles> files_;
    std::unique_ptr<TapeReader> tape_;
    Ticks start_;
    VirtualTime start_time_;
};

}  // namespace uchronia::history
