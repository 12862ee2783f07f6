#include "history/session.h"

#include <algorithm>

#include "base/check.h"
#include "history/recorded_input.h"

namespace uchronia::history {
namespace {

// Long enough for a guest that does anything at all to reach its next tick.
constexpr u64 kSettlingTime = 1'000'000'000;  // virtual nanoseconds
// In which the agent comes to a visit, whatever else the guest does.
constexpr VirtualTime kAnswerTime(10'000'000'000);

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
        if (live_ == LiveInput::kNo)
            return read_recorded(recorded_, offset, bytes);
        return read_and_record(recorded_, offset, bytes, [this](u64 at, std::span<u8> rest) {
            return outside_.input(at, rest);
        });
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
    void files(std::span<const u8> bytes) override { outside_.files(bytes); }
    void visit_files(std::span<const u8> bytes) override { outside_.visit_files(bytes); }
    void visit_began() override {
        answered_ = true;
        outside_.visit_began();
    }

    void expect_answer() { answered_ = false; }
    bool answered() const { return answered_; }

    const std::string& end_of_console() const { return console_; }

  private:
    static constexpr std::size_t kKept = 8192;

    machine::Outside& outside_;
    std::vector<u8>& recorded_;
    LiveInput live_;
    std::string console_;
    bool answered_ = true;
};

Session::Session(const machine::BaseImage& base, History history, machine::Outside& outside,
                 host::FileSource* files, SessionOptions options)
    : base_(base),
      history_(std::move(history)),
      options_(options),
      machine_(frames_, with_engine(base.config(), options)),
      outside_(std::make_unique<SessionOutside>(outside, history_.input, options.live_input)),
      run_(history_, machine_, files, options.store) {
    history_.result.reset();
    history_.chain = {};
}

Session::~Session() = default;

void Session::interrupt() {
    interrupted_ = true;
    machine_.interrupt();
}

Status Session::run() {
    if (Status status = start(); !status)
        return status;
    set_check_context(history_.tape.seed_at(ticks()), &ticks_for_check_);
    Progress progress = Progress::kOn;
    Status answer;
    while (progress == Progress::kOn && answer) {
        progress = advance();
        ticks_for_check_ = run_.ticks().value;
        answer = check_answer();
    }
    set_check_context(0, nullptr);
    return answer;
}

Status Session::start() {
    if (started_)
        return {};
    if (Status status = run_.start(base_, frames_, *outside_); !status)
        return status;
    started_ = true;
    add_link();
    machine_.start_preemption();
    return {};
}

// Goes on from what is kept of the recorded history, as if it had run to there. Gives the RAM of
// the start; null: nothing is to be kept.
std::shared_ptr<const memory::RAMSnapshot> Session::skip_to_before(const Moment& moment) {
    if (options_.kept == nullptr || options_.expected == nullptr || divergence_ ||
        ticks() != Ticks(0))
        return nullptr;
    std::shared_ptr<const memory::RAMSnapshot> start = machine_.checkpoint().ram;
    const std::optional<StoredMoment> here =
        options_.kept->restore_before(moment, ticks(), machine_, frames_, *start);
    if (here) {
        for (const ChainLink& link : options_.expected->links) {
            if (link.tick > Ticks(0) && link.tick <= here->tick)
                history_.chain.links.push_back(link);
        }
    }
    return start;
}

// This is where it gets to the moment.
Status Session::go_to(const Moment& moment) {
    if (Status status = start(); !status)
        return status;
    const std::shared_ptr<const memory::RAMSnapshot> start_ram = skip_to_before(moment);
    while (!end_ && !divergence_ && !has_come_to(moment, ticks(), run_.time())) {
        const Ticks next((ticks().value / kChainInterval + 1) * kChainInterval);
        const Ticks tick = ticks() < moment.tick ? std::min(moment.tick, next) : next;
        const machine::StopReason reason =
            interrupted_ ? machine::StopReason{.stop = machine::Stop::kInterrupted, .message = {}}
                         : run_.run(tick, run_.time() < moment.time ? moment.time : kNever);
        if (reason.stop == machine::Stop::kInterrupted)
            return Error{"interrupted at tick " + std::to_string(ticks().value)};
        end_ = run_.end_at(reason, outside_->end_of_console());
        if (end_ || ticks().value % kChainInterval != 0)
            continue;
        add_link();
        if (start_ram != nullptr && !divergence_)
            options_.kept->pass({ticks(), time()}, machine_, *start_ram);
    }
    if (divergence_)
        return Error{"this replay is not what was recorded: " + divergence_->describe()};
    return {};
}

// A machine that has ended by itself does nothing any more; but where the command has ended, or
// something outside ended the run, it stands still only.
Status Session::can_go_on() const {
    if (!end_)
        return {};
    switch (end_->kind) {
        case OutcomeKind::kExited:
        case OutcomeKind::kSignaled:
        case OutcomeKind::kTimeout:
        case OutcomeKind::kStopped:
        case OutcomeKind::kIdle:
            return {};
        default:
            return Error{"nothing goes on from the end of this history: " + describe(*end_) +
                         ", at tick " + std::to_string(ticks().value) +
                         "; name a moment before it with --at"};
    }
}

Status Session::branch(u64 seed, VirtualTime timeout) {
    const bool is_over =
        end_ && (end_->kind == OutcomeKind::kExited || end_->kind == OutcomeKind::kSignaled);
    if (is_over)
        return Error{"the command has ended at tick " + std::to_string(ticks().value) +
                     ", and nothing is left to be decided; name a moment before it with --at"};
    if (Status status = can_go_on(); !status)
        return status;
    run_.branch(seed, timeout);
    options_.expected = nullptr;
    end_.reset();
    return {};
}

Status Session::visit(Visit visit, VirtualTime timeout, const VisitOptions& options) {
    if (Status status = can_go_on(); !status)
        return status;
    run_.forget_future();
    history_.limits.timeout = saturating_sum(run_.time(), timeout);
    if (Status status = run_.visit(std::move(visit), options.input); !status)
        return status;
    terminal_ = options.terminal;
    answer_by_ = saturating_sum(run_.time(), kAnswerTime);
    outside_->expect_answer();
    options_.expected = nullptr;
    end_.reset();
    return {};
}

// The guest must come to a visit, or nobody would know why nothing happens.
Status Session::check_answer() {
    if (outside_->answered()) {
        answer_by_ = kNever;
        return {};
    }
    if (history_.result && history_.result->outcome.kind != OutcomeKind::kStopped)
        return Error{"the guest ended before it answered: " + describe(history_.result->outcome)};
    if (run_.time() < answer_by_)
        return {};
    return Error{"the guest does not answer: its PID 1 did not come to run in " +
                 std::to_string(kAnswerTime.value / 1'000'000'000) +
                 " s of virtual time; try an earlier moment with --at"};
}

VirtualTime Session::time_limit() const {
    const VirtualTime live = terminal_ == nullptr ? kNever : terminal_->limit(run_.time());
    return std::min(live, answer_by_);
}

// Runs to the next multiple of the chain's interval, to where the observer looks, to what a live
// terminal allows, or to a limit.
Session::Progress Session::advance() {
    if (interrupted_)
        return stop_here();
    const u64 done = run_.ticks().value;
    const u64 next_link = (done / kChainInterval + 1) * kChainInterval;
    Ticks next(next_link);
    if (options_.observer != nullptr)
        next = std::min(next, options_.observer->next_stop(Ticks(done)));
    const Progress progress = follow(run_.run(next, time_limit()));
    if (progress == Progress::kOn && terminal_ != nullptr) {
        for (TerminalInput& input : terminal_->take(run_.time()))
            run_.type(std::move(input));
    }
    return progress;
}

Session::Progress Session::follow(const machine::StopReason& reason) {
    if (reason.stop == machine::Stop::kInterrupted)
        return stop_here();
    const Ticks done = run_.ticks();
    if (reason.stop == machine::Stop::kTick && options_.observer != nullptr)
        options_.observer->stopped(machine_, done, run_.time());
    if (std::optional<Outcome> end = run_.end_at(reason, outside_->end_of_console())) {
        finish(std::move(*end));
        return Progress::kEnded;
    }
    if (done.value % kChainInterval != 0)
        return Progress::kOn;
    return add_link() ? Progress::kOn : Progress::kEnded;
}

// An interruption comes between any two steps of the machine, of which a replay knows only ticks:
// so the run goes on to where a tick has just been completed, and stops there for good.
Session::Progress Session::stop_here() {
    const VirtualTime latest = saturating_sum(machine_.now(), VirtualTime(kSettlingTime));
    const machine::StopReason reason = machine_.run(machine_.ticks() + Ticks(1), latest);
    if (reason.stop == machine::Stop::kTick)
        history_.limits.stop_tick = run_.ticks();
    else if (reason.stop == machine::Stop::kTime || reason.stop == machine::Stop::kInterrupted)
        history_.limits.stop_time = run_.time();
    else
        return follow(reason);
    finish({OutcomeKind::kStopped, 0, ""});
    return Progress::kEnded;
}

// False if the chain has left the expected one, and the run is over.
bool Session::add_link() {
    // A time limit may have stopped it at the same tick again.
    if (const HashChain& chain = history_.chain;
        !chain.links.empty() && chain.links.back().tick == ticks())
        return true;
    run_.append_to_chain();
    if (options_.expected == nullptr)
        return true;
    divergence_ = compare(*options_.expected, history_.chain, Completeness::kGrowing);
    if (divergence_)
        finish({OutcomeKind::kStopped, 0, ""});
    return !divergence_;
}

void Session::finish(Outcome outcome) {
    const Ticks ticks = run_.ticks();
    const VirtualTime time = run_.time();
    const HashChain& chain = history_.chain;
    if (chain.links.empty() || chain.links.back().tick != ticks || chain.links.back().time != time)
        run_.append_to_chain();
    if (options_.expected != nullptr && !divergence_)
        divergence_ = compare(*options_.expected, history_.chain, Completeness::kComplete);
    history_.result = RunResult{.outcome = std::move(outcome),
                                .ticks = ticks,
                                .time = time,
                                .state = history_.chain.links.back().state};
}

}  // namespace uchronia::history
