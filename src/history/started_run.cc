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
    if (Status status = check_visits(history_.visits); !status)
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
    environment_ = {.decisions = nullptr,
                    .outside = &outside,
                    .files = files_.get(),
                    .request = *request,
                    .calls = nullptr};
    set_calls();
    set_tape();
    return {};
}

void StartedRun::set_calls() {
    calls_ = std::make_unique<VisitCalls>(history_.visits, start_, start_time_);
    environment_.calls = calls_.get();
}

void StartedRun::set_tape() {
    tape_ = std::make_unique<TapeReader>(history_.tape, start_);
    environment_.decisions = tape_.get();
    machine_.set_environment(environment_);
}

Status StartedRun::visit(Visit visit, VisitCalls::Input* input) {
    visit.at = {ticks(), time()};
    history_.visits.push_back(std::move(visit));
    if (Status status = check_visits(history_.visits); !status) {
        history_.visits.pop_back();
        return status;
    }
    calls_->update();
    calls_->set_input(input);
    return {};
}

void StartedRun::type(TerminalInput input) {
    input.at = {ticks(), time()};
    history_.visits.back().terminal.push_back(std::move(input));
    calls_->update();
}

void StartedRun::forget_future() {
    history_.limits = {};
    cut_visits(history_.visits, machine_.calls().given);
    calls_->update();
}

void StartedRun::branch(u64 seed, VirtualTime timeout) {
    const VirtualTime recorded = history_.limits.timeout;
    forget_future();
    const VirtualTime here = machine_.now() - start_time_;
    if (timeout != kNever)
        history_.limits.timeout = saturating_sum(here, timeout);
    else if (recorded > here)
        history_.limits.timeout = recorded;
    change_seed(seed);
}

void StartedRun::set_course(Course course) {
    history_.limits = course.limits;
    history_.tape = std::move(course.tape);
    history_.visits = std::move(course.visits);
    set_calls();
    set_tape();
}

void StartedRun::change_seed(u64 seed) {
    Tape& tape = history_.tape;
    // Something may have been decided at this very tick already.
    const Ticks from = ticks() + Ticks(1);
    std::erase_if(tape.seeds, [&](const SeedChange& change) { return change.from >= from; });
    tape.seeds.push_back({from, seed});
    const std::array<u64, machine::kDecisionKinds> drawn = machine_.statistics().decisions;
    std::erase_if(tape.overrides, [&](const Override& change) {
        return change.counter >= drawn[static_cast<std::size_t>(change.kind)];
    });
    tape.holds.resize(std::min<std::size_t>(tape.holds.size(), machine_.holds_begun()));
    set_tape();
}

// Whether a visit was begun or is to begin, so that the end of the run's own command is not the
// history's.
bool StartedRun::is_visited() const {
    const machine::CallCounters& calls = machine_.calls();
    return calls.active != 0 || calls.begun < history_.visits.size();
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
        case machine::Stop::kExited:
        case machine::Stop::kVisitEnded:
            if (is_visited())
                return std::nullopt;
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
