#include "history/session.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace uchronia::history {
namespace {

// Long enough for a guest that does anything at all to reach its next tick.
constexpr u64 kSettlingTime = 1'000'000'000;  // virtual nanoseconds

template <class T>
T saturating_sum(T a, T b) {
    return b.value > ~u64{0} - a.value ? T(~u64{0}) : a + b;
}

machine::MachineConfig with_engine(machine::MachineConfig config, const SessionOptions& options) {
    config.engine = options.engine;
    config.translator.library = options.library;
    config.translator.perf_map = options.perf_map;
    config.translator.clock = options.clock;
    return config;
}

}  // namespace

// Serves the input from the history first, and keeps the end of the console.
class Session::SessionOutside final : public machine::Outside {
  public:
    SessionOutside(machine::Outside& outside, std::vector<u8>& recorded, LiveInput live)
        : outside_(outside), recorded_(recorded), live_(live) {}

    void output(machine::OutputStream stream, std::span<const u8> bytes) override {
        outside_.output(stream, bytes);
    }
    u64 input(u64 offset, std::span<u8> bytes) override {
        CHECK(offset <= recorded_.size());
        const u64 known = std::min<u64>(bytes.size(), recorded_.size() - offset);
        std::memcpy(bytes.data(), recorded_.data() + offset, known);
        if (live_ == LiveInput::kNo || known == bytes.size())
            return known;
        const std::span<u8> rest = bytes.subspan(known);
        const u64 count = outside_.input(offset + known, rest);
        recorded_.insert(recorded_.end(), rest.begin(),
                         rest.begin() + static_cast<std::ptrdiff_t>(count));
        return known + count;
    }
    void console(u8 byte) override {
        outside_.console(byte);
        console_ += static_cast<char>(byte);
        if (console_.size() > 2 * kKept)
            console_.erase(0, console_.size() - kKept);
    }
    void kernel_report(u64 kind, std::string_view text) override {
        outside_.kernel_report(kind, text);
    }
    void agent_log(u64 level, std::string_view text) override { outside_.agent_log(level, text); }

    const std::string& end_of_console() const { return console_; }

  private:
    static constexpr std::size_t kKept = 8192;

    machine::Outside& outside_;
    std::vector<u8>& recorded_;
    LiveInput live_;
    std::string console_;
};

Session::Session(const machine::BaseImage& base, History history, machine::Outside& outside,
                 host::FileSource* files, SessionOptions options)
    : base_(base),
      history_(std::move(history)),
      options_(options),
      machine_(frames_, with_engine(base.config(), options)),
      outside_(std::make_unique<SessionOutside>(outside, history_.input, options.live_input)) {
    history_.result.reset();
    history_.chain = {};
    if (files != nullptr) {
        files_ = std::make_unique<RecordedFiles>(
            history_.record, *files,
            RecordedFiles::Folders{.kept = history_.files.working_folders,
                                   .not_kept = history_.files.system_folders},
            options.store);
    }
}

Session::~Session() = default;

std::optional<std::string> Session::changed_file() const {
    return files_ == nullptr ? std::nullopt : files_->changed_file();
}

Status Session::keep_contents() {
    return files_ == nullptr ? Status() : files_->keep_contents();
}

void Session::interrupt() {
    interrupted_ = true;
    machine_.interrupt();
}

Status Session::run() {
    if (Status status = start(); !status)
        return status;
    set_check_context(history_.tape.seed_at(Ticks(0)), &ticks_for_check_);
    while (advance() == Progress::kOn)
        ticks_for_check_ = machine_.ticks().value - start_.value;
    set_check_context(0, nullptr);
    return {};
}

Status Session::start() {
    if (Status status = history_.tape.check(); !status)
        return status;
    if (history_.base.image != base_.digest() ||
        (history_.base.state != Digest() && history_.base.state != base_.state_digest()))
        return Error{"the base image " + to_hex(base_.digest()) +
                     " is not the one that the history starts from, " +
                     to_hex(history_.base.image)};
    history_.base.state = base_.state_digest();
    const Result<std::vector<u8>> request = machine::encode_run_request(history_.request);
    if (!request)
        return request.error();
    if (Status status = base_.start(machine_, frames_); !status)
        return status;

    start_ = machine_.ticks();
    start_time_ = machine_.now();
    tape_ = std::make_unique<TapeReader>(history_.tape, start_);
    machine_.set_environment({.decisions = tape_.get(),
                              .outside = outside_.get(),
                              .files = files_.get(),
                              .request = *request});
    add_link();
    machine_.start_preemption();
    return {};
}

// Runs to the next multiple of the chain's interval, to where the observer looks, or to a limit.
Session::Progress Session::advance() {
    if (interrupted_)
        return stop_here();
    const u64 done = machine_.ticks().value - start_.value;
    const u64 next_link = (done / kChainInterval + 1) * kChainInterval;
    Ticks next(std::min(next_link, history_.limits.stop_tick.value));
    if (options_.observer != nullptr)
        next = std::min(next, options_.observer->next_stop(Ticks(done)));
    const VirtualTime end = std::min(history_.limits.timeout, history_.limits.stop_time);
    const machine::StopReason reason =
        machine_.run(start_ + next, saturating_sum(start_time_, end));
    return follow(reason);
}

Session::Progress Session::follow(const machine::StopReason& reason) {
    switch (reason.stop) {
        case machine::Stop::kTick: {
            const Ticks done = machine_.ticks() - start_;
            if (options_.observer != nullptr)
                options_.observer->stopped(machine_, done, machine_.now() - start_time_);
            if (done >= history_.limits.stop_tick) {
                finish({OutcomeKind::kStopped, 0, ""});
                return Progress::kEnded;
            }
            if (done.value % kChainInterval != 0)
                return Progress::kOn;
            return add_link() ? Progress::kOn : Progress::kEnded;
        }
        case machine::Stop::kInterrupted:
            return stop_here();
        case machine::Stop::kReady:
            // The agent waits again, which it never does after a run has begun.
            finish({OutcomeKind::kAgentPanic, 0, "it asked for a second command"});
            return Progress::kEnded;
        case machine::Stop::kTime:
            if (history_.limits.stop_time < history_.limits.timeout) {
                finish({OutcomeKind::kStopped, 0, ""});
                return Progress::kEnded;
            }
            break;
        default:
            break;
    }
    finish(outcome_of(reason, outside_->end_of_console()));
    return Progress::kEnded;
}

// An interruption comes between any two steps of the machine, of which a replay knows only ticks:
// so the run goes on to where a tick has just been completed, and stops there for good.
Session::Progress Session::stop_here() {
    const VirtualTime latest = saturating_sum(machine_.now(), VirtualTime(kSettlingTime));
    const machine::StopReason reason = machine_.run(machine_.ticks() + Ticks(1), latest);
    if (reason.stop == machine::Stop::kTick)
        history_.limits.stop_tick = machine_.ticks() - start_;
    else if (reason.stop == machine::Stop::kTime || reason.stop == machine::Stop::kInterrupted)
        history_.limits.stop_time = machine_.now() - start_time_;
    else
        return follow(reason);
    finish({OutcomeKind::kStopped, 0, ""});
    return Progress::kEnded;
}

// False if the chain has left the expected one, and the run is over.
bool Session::add_link() {
    history_.chain.append(machine_, start_, start_time_);
    if (options_.expected == nullptr)
        return true;
    divergence_ = compare(*options_.expected, history_.chain, Completeness::kGrowing);
    if (divergence_)
        finish({OutcomeKind::kStopped, 0, ""});
    return !divergence_;
}

void Session::finish(Outcome outcome) {
    const Ticks ticks = machine_.ticks() - start_;
    const VirtualTime time = machine_.now() - start_time_;
    const HashChain& chain = history_.chain;
    if (chain.links.empty() || chain.links.back().tick != ticks || chain.links.back().time != time)
        history_.chain.append(machine_, start_, start_time_);
    if (options_.expected != nullptr && !divergence_)
        divergence_ = compare(*options_.expected, history_.chain, Completeness::kComplete);
    history_.result = RunResult{.outcome = std::move(outcome),
                                .ticks = ticks,
                                .time = time,
                                .state = history_.chain.links.back().state};
}

}  // namespace uchronia::history
