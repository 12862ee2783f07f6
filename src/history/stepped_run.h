// A recorded history, run again in steps: to a tick, and back to where it was. Nothing comes from
// outside but files of the host that the history has no answer for; what the guest says is dropped.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "history/moment.h"
#include "history/started_run.h"

namespace uchronia::history {

struct SteppedRunOptions {
    machine::Engine engine = machine::Engine::kTranslator;
    std::shared_ptr<cpu::jit::CodeLibrary> library = {};  // null: all is translated anew
    // What files held that are not as they were; must outlive the run. Null: nobody knows.
    const ContentStore* store = nullptr;
};

class SteppedRun {
  public:
    // `base` and `files` (null: none) must outlive the run. Errors: as those of Session::run.
    static Result<std::unique_ptr<SteppedRun>> start(const machine::BaseImage& base,
                                                     History history, host::FileSource* files,
                                                     const SteppedRunOptions& options);
    ~SteppedRun();

    // Runs until `tick` or `time` from the run's start, or to the history's end before that. A run
    // that has ended stays where it is.
    void run_to(Ticks tick, VirtualTime time = kNever);

    Arrival arrival() const { return arrival_; }

    // From the run's start.
    Ticks ticks() const { return run_.ticks(); }
    VirtualTime time() const { return run_.time(); }
    // How the history ended; nothing: it goes on.
    const std::optional<Outcome>& end() const { return end_; }

    // A moment to come back to.
    struct Mark {
        machine::Checkpoint checkpoint;
        std::optional<Outcome> end;
        Arrival arrival = Arrival::kByTick;
    };
    Mark mark();
    Status go_back(const Mark& mark);
    // From here on another history, as StartedRun::branch makes it. It must not have ended.
    void branch(u64 seed, VirtualTime timeout) { run_.branch(seed, timeout); }
    // What decides the future: to be set again after going back to a mark of another branch.
    Course course() const { return run_.course(); }
    void set_course(Course course) { run_.set_course(std::move(course)); }
    // Somebody else has restored the machine to the first state of a tick.
    void has_gone_to_a_tick() {
        end_.reset();
        arrival_ = Arrival::kByTick;
    }

    // Makes run_to return soon, for good. Any thread, also signal handlers.
    void interrupt();
    bool interrupted() const { return interrupted_; }

    machine::Machine& machine() { return machine_; }
    memory::FrameStore& frames() { return frames_; }
    // Bytes of pages, those of all marks included.
    u64 memory_in_use() const { return frames_.live_count() * kPageSize; }
    const History& history() const { return history_; }
    // A file of the host that is no longer as the history has it.
    std::optional<std::string> changed_file() const { return run_.changed_file(); }

  private:
    class ReplayOutside;

    SteppedRun(const machine::BaseImage& base, History history, host::FileSource* files,
               const SteppedRunOptions& options);

    History history_;
    memory::FrameStore frames_;
    machine::Machine machine_;
    std::unique_ptr<ReplayOutside> outside_;
    StartedRun run_;
    std::optional<Outcome> end_;
    Arrival arrival_ = Arrival::kByTick;
    std::atomic<bool> interrupted_ = false;
};

}  // namespace uchronia::history
