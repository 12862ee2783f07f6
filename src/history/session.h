// One run of a history on a machine of its own.
//
// A session records or replays, depending on what the history already has: input, file answers and
// limits that are in it are used, the rest comes from outside and is added. The state at the end,
// and all along, depends on the history alone.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "history/kept_moments.h"
#include "history/moment.h"
#include "history/started_run.h"

namespace uchronia::history {

enum class LiveInput : u8 {
    kNo,   // standard input is what the history has of it
    kYes,  // and goes on with what Outside gives
};

// Looks at the machine at ticks of its choice, from the run's start. It must not change the
// machine.
class RunObserver {
  public:
    virtual ~RunObserver() = default;
    // The next tick after `done` at which it wants to look.
    virtual Ticks next_stop(Ticks done) = 0;
    // At these ticks, and at others at which the run stops anyhow.
    virtual void stopped(machine::Machine& machine, Ticks done, VirtualTime time) = 0;
};

// Who sits at the terminal of a visit.
class LiveTerminal {
  public:
    virtual ~LiveTerminal() = default;
    // Until when the guest may run on, where it is `time` from the run's start.
    virtual VirtualTime limit(VirtualTime time) = 0;
    // What was typed since it was asked last, in order. It may wait for something.
    virtual std::vector<TerminalInput> take(VirtualTime time) = 0;
};

// What a visit has beside its request; both must outlive the session.
struct VisitOptions {
    VisitCalls::Input* input = nullptr;  // null: no standard input
    LiveTerminal* terminal = nullptr;    // null: nobody is there
};

struct SessionOptions {
    LiveInput live_input = LiveInput::kNo;
    // The run ends as soon as its chain differs from this one.
    const HashChain* expected = nullptr;
    // Must outlive the session; null: nobody looks.
    RunObserver* observer = nullptr;
    machine::Engine engine = machine::Engine::kTranslator;  // every one gives the same run
    std::shared_ptr<cpu::jit::CodeLibrary> library = {};    // null: all is translated anew
    // What go_to starts from, and adds to; must outlive the session. Needs `expected`. Null: it
    // runs from the start.
    KeptMoments* kept = nullptr;
    // Of the contents that are not in the history; must outlive the session. Null: none.
    const ContentStore* store = nullptr;
    // Nanoseconds, to measure what slow paths cost; null: not measured.
    u64 (*clock)() = nullptr;
    bool perf_map = false;  // names for translated code, for the host's perf
};

class Session {
  public:
    // `base`, `outside` and `files` (null: none) must outlive the session.
    Session(const machine::BaseImage& base, History history, machine::Outside& outside,
            host::FileSource* files, SessionOptions options);
    ~Session();

    // Runs to the end and completes the history, from where it is. Errors: the base image cannot be
    // started, is not the history's, the command is not one that can be given to the guest, or the
    // guest does not answer a visit.
    Status run();

    // Runs a recorded history to a moment, or to its end if that comes first, and stands there.
    // After that, it may be made another history: by a change of the seed, or a visit. Errors: as
    // those of run(); it was interrupted; it has left `expected`.
    Status go_to(const Moment& moment);
    // How the recorded history ended, if that is where it is.
    const std::optional<Outcome>& end() const { return end_; }
    // From here on, another history, without the limits of the recorded one; `timeout` is from here
    // on, too, and kNever leaves the recorded one. Errors: nothing can go on from here.
    Status branch(u64 seed, VirtualTime timeout = kNever);
    // The same with a command in the guest, whose end is the history's; `timeout` is from here on.
    // Errors: it is not one that can be given to the guest, or nothing can go on from here.
    Status visit(Visit visit, VirtualTime timeout, const VisitOptions& options);

    Ticks ticks() const { return run_.ticks(); }
    VirtualTime time() const { return run_.time(); }
    // From the run's start, and exact in a call of machine::Outside.
    Ticks present_tick() const { return run_.present_tick(); }
    VirtualTime present_time() const { return run_.present_time(); }

    // Makes run() return soon, with a history that stops there. Any thread, also signal handlers.
    void interrupt();

    const History& history() const { return history_; }
    // Where the run left `expected`.
    const std::optional<Divergence>& divergence() const { return divergence_; }
    // A file that is no longer as the history has it, neither on the host nor in the store.
    std::optional<std::string> changed_file() const { return run_.changed_file(); }
    // After run(): brings what was read from the host into the store.
    Status keep_contents() { return run_.keep_contents(); }
    machine::Machine& machine() { return machine_; }

  private:
    class SessionOutside;
    enum class Progress { kOn, kEnded };

    Status start();
    Status can_go_on() const;
    Status check_answer();
    Progress advance();
    Progress follow(const machine::StopReason& reason);
    Progress stop_here();
    bool add_link();
    std::shared_ptr<const memory::RAMSnapshot> skip_to_before(const Moment& moment);
    VirtualTime time_limit() const;
    void finish(Outcome outcome);

    const machine::BaseImage& base_;
    History history_;
    SessionOptions options_;
    memory::FrameStore frames_;
    machine::Machine machine_;
    std::unique_ptr<SessionOutside> outside_;
    StartedRun run_;
    unsigned long long ticks_for_check_ = 0;
    std::atomic<bool> interrupted_ = false;
    bool started_ = false;
    std::optional<Outcome> end_;
    LiveTerminal* terminal_ = nullptr;
    VirtualTime answer_by_ = kNever;  // until then the guest answers a visit
    std::optional<Divergence> divergence_;
};

}  // namespace uchronia::history
