#include "history/stepped_run.h"

#include <algorithm>
#include <cstring>

namespace uchronia::history {
namespace {

machine::MachineConfig with_engine(machine::MachineConfig config,
                                   const SteppedRunOptions& options) {
    config.engine = options.engine;
    config.translator.library = options.library;
    return config;
}

template <class T>
T saturating_sum(T a, T b) {
    return b.value > ~u64{0} - a.value ? T(~u64{0}) : a + b;
}

}  // namespace

// Gives the recorded input, and keeps nothing.
class SteppedRun::ReplayOutside final : public machine::Outside {
  public:
    explicit ReplayOutside(const std::vector<u8>& input) : input_(input) {}
    void output(machine::OutputStream, std::span<const u8>) override {}
    u64 input(u64 offset, std::span<u8> bytes) override {
        if (offset >= input_.size())
            return 0;
        const u64 count = std::min<u64>(bytes.size(), input_.size() - offset);
        std::memcpy(bytes.data(), input_.data() + offset, count);
        return count;
    }
    void console(u8) override {}
    void kernel_report(u64, std::string_view) override {}
    void agent_log(u64, std::string_view) override {}

  private:
    const std::vector<u8>& input_;
};

SteppedRun::SteppedRun(const machine::BaseImage& base, History history, host::FileSource* files,
                       const SteppedRunOptions& options)
    : history_(std::move(history)),
      machine_(frames_, with_engine(base.config(), options)),
      outside_(std::make_unique<ReplayOutside>(history_.input)) {
    if (files != nullptr)
        files_ = std::make_unique<RecordedFiles>(
            history_.record, *files,
            RecordedFiles::Folders{.kept = history_.files.working_folders,
                                   .not_kept = history_.files.system_folders},
            options.store);
}

SteppedRun::~SteppedRun() = default;

Result<std::unique_ptr<SteppedRun>> SteppedRun::start(const machine::BaseImage& base,
                                                      History history, host::FileSource* files,
                                                      const SteppedRunOptions& options) {
    std::unique_ptr<SteppedRun> run(new SteppedRun(base, std::move(history), files, options));
    if (Status status = run->begin(base); !status)
        return status.error();
    return run;
}

Status SteppedRun::begin(const machine::BaseImage& base) {
    if (Status status = history_.tape.check(); !status)
        return status;
    if (history_.base.image != base.digest())
        return Error{"the base image " + to_hex(base.digest()) +
                     " is not the one that the history starts from, " +
                     to_hex(history_.base.image)};
    const Result<std::vector<u8>> request = machine::encode_run_request(history_.request);
    if (!request)
        return request.error();
    if (Status status = base.start(machine_, frames_); !status)
        return status;
    start_ = machine_.ticks();
    start_time_ = machine_.now();
    tape_ = std::make_unique<TapeReader>(history_.tape, start_);
    machine_.set_environment({.decisions = tape_.get(),
                              .outside = outside_.get(),
                              .files = files_.get(),
                              .request = *request});
    machine_.start_preemption();
    return {};
}

void SteppedRun::run_to(Ticks tick) {
    const Limits& limits = history_.limits;
    const Ticks last = std::min(tick, limits.stop_tick);
    const VirtualTime end_time =
        saturating_sum(start_time_, std::min(limits.timeout, limits.stop_time));
    if (end_ || interrupted_)
        return;
    const machine::StopReason reason = machine_.run(saturating_sum(start_, last), end_time);
    switch (reason.stop) {
        case machine::Stop::kTick:
            if (ticks() >= limits.stop_tick)
                end_ = Outcome{OutcomeKind::kStopped, 0, ""};
            return;
        case machine::Stop::kInterrupted:
            interrupted_ = true;
            return;
        case machine::Stop::kTime:
            if (limits.stop_time < limits.timeout) {
                end_ = Outcome{OutcomeKind::kStopped, 0, ""};
                return;
            }
            break;
        case machine::Stop::kReady:
            end_ = Outcome{OutcomeKind::kAgentPanic, 0, "it asked for a second command"};
            return;
        default:
            break;
    }
    end_ = outcome_of(reason, "");
}

SteppedRun::Mark SteppedRun::mark() {
    return {machine_.checkpoint(), end_};
}

Status SteppedRun::go_back(const Mark& mark) {
    end_ = mark.end;
    return machine_.restore(mark.checkpoint);
}

void SteppedRun::interrupt() {
    interrupted_ = true;
    machine_.interrupt();
}

std::optional<std::string> SteppedRun::changed_file() const {
    return files_ == nullptr ? std::nullopt : files_->changed_file();
}

}  // namespace uchronia::history
