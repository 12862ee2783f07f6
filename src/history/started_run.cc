#include "history/started_run.h"

#include <algorithm>

namespace uchronia::history {

StartedRun::StartedRun(History& history, machine::Machine& machine, host::FileSource* files,
                       const ContentStore* store)
    : history_(history), machine_(machine) {
    if (files != nullptr)
        files_ = std::make_unique<RecordedFiles>(
            history_.record, *files,
            RecordedFiles::Folders{.kept = history_.files.working_folders,
                                   .not_kept = history_.files.system_folders,
                                   .others = history_.files.has_image()
                                                 ? RecordedFiles::Others::kNothing
                                                 : RecordedFiles::Others::kToStore},
            store);
}

Status StartedRun::start(const machine::BaseImage& base, memory::FrameStore& frames,
                         machine::Outside& outside) {
    if (Status status = history_.tape.check(); !status)
        return status;
    if (Status status = history_.tape.check_vcpus(base.config().vcpu_count); !status)
        return status;
    if (history_.base.image != base.digest() ||
        (history_.base.state != Digest() && history_.base.state != base.state_digest()))
        return Error{"the base image " + to_hex(base.digest()) +
                     " is not the one that the history starts from, " +
                     to_hex(history_.base.image)};
    history_.base.state = base.state_digest();
    const Result<std::vector<u8>> request = machine::encode_run_request(history_.request);
    if (!request)
        return request.error();
    if (Status status = base.start(machine_, frames); !status)
        return status;
    start_ = machine_.ticks();
    start_time_ = machine_.now();
    tape_ = std::make_unique<TapeReader>(history_.tape, start_);
    machine_.set_environment({.decisions = tape_.get(),
                              .outside = &outside,
                              .files = files_.get(),
                              .request = *request});
    return {};
}

machine::StopReason StartedRun::run(Ticks tick, VirtualTime time) {
    const Limits& limits = history_.limits;
    return machine_.run(
        saturating_sum(start_, std::min(tick, limits.stop_tick)),
        saturating_sum(start_time_, std::min({limits.timeout, limits.stop_time, time})));
}

std::optional<Outcome> StartedRun::end_at(const machine::StopReason& reason,
                                          std::string_view console) const {
    const Limits& limits = history_.limits;
    const Outcome stopped{OutcomeKind::kStopped, 0, ""};
    switch (reason.stop) {
        case machine::Stop::kTick:
            return ticks() >= limits.stop_tick ? std::optional(stopped) : std::nullopt;
        case machine::Stop::kReady:
            // The agent waits again, which it never does after a run has begun.
            return Outcome{OutcomeKind::kAgentPanic, 0, "it asked for a second command"};
        case machine::Stop::kTime:
            if (time() < std::min(limits.timeout, limits.stop_time))
                return std::nullopt;
            if (limits.stop_time < limits.timeout)
                return stopped;
            break;
        default:
            break;
    }
    return outcome_of(reason, console);
}

std::optional<std::string> StartedRun::changed_file() const {
    return files_ == nullptr ? std::nullopt : files_->changed_file();
}

Status StartedRun::keep_contents() {
    return files_ == nullptr ? Status() : files_->keep_contents();
}

}  // namespace uchronia::history
