#include "history/session.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace uchronia::history {
namespace {

// Long enough for a guest that does anything at all to reach its next tick.
constexpr u64 kSettlingTime = 1'000'000'000;  // virtual nanoseconds

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
    void files(std::span<const u8> bytes) override { outside_.files(bytes); }

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
    set_check_context(history_.tape.seed_at(Ticks(0)), &ticks_for_check_);
    while (advance() == Progress::kOn)
        ticks_for_check_ = run_.ticks().value;
    set_check_context(0, nullptr);
    return {};
}

Status Session::start() {
    if (Status status = run_.start(base_, frames_, *outside_); !status)
        return status;
    add_link();
    machine_.start_preemption();
    return {};
}

// Runs to the next multiple of the chain's interval, to where the observer looks, or to a limit.
Session::Progress Session::advance() {
    if (interrupted_)
        return stop_here();
    const u64 done = run_.ticks().value;
    const u64 next_link = (done / kChainInterval + 1) * kChainInterval;
    Ticks next(next_link);
    if (options_.observer != nullptr)
        next = std::min(next, options_.observer->next_stop(Ticks(done)));
    return follow(run_.run(next));
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
