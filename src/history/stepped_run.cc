#include "history/stepped_run.h"

#include "history/recorded_input.h"

namespace uchronia::history {
namespace {

machine::MachineConfig with_engine(machine::MachineConfig config,
                                   const SteppedRunOptions& options) {
    config.engine = options.engine;
    config.translator.library = options.library;
    return config;
}

}  // namespace

// Gives the recorded input, and keeps nothing.
class SteppedRun::ReplayOutside final : public machine::SilentOutside {
  public:
    explicit ReplayOutside(const std::vector<u8>& input) : input_(input) {}
    u64 input(u64 offset, std::span<u8> bytes) override {
        return read_recorded(input_, offset, bytes);
    }

  private:
    const std::vector<u8>& input_;
};

SteppedRun::SteppedRun(const machine::BaseImage& base, History history, host::FileSource* files,
                       const SteppedRunOptions& options)
    : history_(std::move(history)),
      machine_(frames_, with_engine(base.config(), options)),
      outside_(std::make_unique<ReplayOutside>(history_.input)),
      run_(history_, machine_, files, options.store) {}

SteppedRun::~SteppedRun() = default;

Result<std::unique_ptr<SteppedRun>> SteppedRun::start(const machine::BaseImage& base,
                                                      History history, host::FileSource* files,
                                                      const SteppedRunOptions& options) {
    std::unique_ptr<SteppedRun> run(new SteppedRun(base, std::move(history), files, options));
    if (Status status = run->run_.start(base, run->frames_, *run->outside_); !status)
        return status.error();
    run->machine_.start_preemption();
    return run;
}

void SteppedRun::run_to(Ticks tick, VirtualTime time) {
    if (end_ || interrupted_)
        return;
    const machine::StopReason reason = run_.run(tick, time);
    // A debugger's stop may come after what happens between two ticks.
    const bool by_time =
        reason.stop == machine::Stop::kTime || reason.stop == machine::Stop::kDebugger;
    arrival_ = by_time ? Arrival::kByTime : Arrival::kByTick;
    if (reason.stop == machine::Stop::kInterrupted)
        interrupted_ = true;
    else if (reason.stop == machine::Stop::kDebugger)
        return;
    else
        end_ = run_.end_at(reason, "");
}

SteppedRun::Mark SteppedRun::mark() {
    return {machine_.checkpoint(), end_, arrival_};
}

Status SteppedRun::go_back(const Mark& mark) {
    end_ = mark.end;
    arrival_ = mark.arrival;
    return machine_.restore(mark.checkpoint);
}

void SteppedRun::interrupt() {
    interrupted_ = true;
    machine_.interrupt();
}

}  // namespace uchronia::history
