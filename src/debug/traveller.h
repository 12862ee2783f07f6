// Moves through a recorded history, forwards and backwards, to ticks and to places.
//
// Going back is going forward from a checkpoint before: through one stretch after the other, the
// latest first, until one has what was looked for; its last occurrence is the answer.
#pragma once

#include <functional>
#include <optional>

#include "cpu/debug_stops.h"
#include "history/timeline.h"

namespace uchronia::debug {

// What is looked for.
struct Hunt {
    cpu::DebugStops::Places places = {};
    // Whether a hit counts, while the machine runs.
    std::function<bool(const cpu::DebugHit&, const cpu::VCPU&)> wants = {};
    // The same when the machine has stopped for it; empty: it does.
    std::function<bool(const cpu::DebugHit&)> accepts = {};
    // Called where a search begins, or goes on from.
    std::function<void()> begins = {};
};

struct Halt {
    enum class Why : u8 { kTick, kHit, kBegin, kEnd, kInterrupted, kFailed };
    Why why = Why::kTick;
    cpu::DebugHit hit = {};
    std::string message = {};  // of a failure
};

class Traveller final : private cpu::DebugFilter {
  public:
    explicit Traveller(history::Timeline& timeline);
    ~Traveller() override;
    Traveller(const Traveller&) = delete;
    Traveller& operator=(const Traveller&) = delete;

    // Asked now and then while something is looked for: whether to give up.
    void set_interruption(std::function<bool()> is_interrupted) {
        is_interrupted_ = std::move(is_interrupted);
    }
    bool is_interrupted() const {
        return timeline_.run().interrupted() || (is_interrupted_ && is_interrupted_());
    }

    history::Timeline& timeline() { return timeline_; }
    machine::Machine& machine() { return timeline_.machine(); }
    Ticks ticks() const { return timeline_.ticks(); }

    // Errors: as those of Timeline::seek.
    Status seek(Ticks tick);
    Status seek(const history::Moment& moment);
    // On to the first hit, at most to `limit`. Where it starts it does not stop for an instruction.
    Halt run(Ticks limit, const Hunt& hunt);
    // Back to the last hit that is not before `begin`, or else to there. It stops before the
    // instruction in question: also before one that writes to what is watched.
    Halt run_back(Ticks begin, const Hunt& hunt);

  private:
    struct Found {
        Ticks tick;
        cpu::DebugHit hit;
    };

    bool wants(const cpu::DebugHit& hit, const cpu::VCPU& cpu) override;
    Halt run_from(Ticks limit, const Hunt& hunt, cpu::DebugStops::First first);
    Status return_to(const Found& found, const Hunt& hunt);
    void set_places(const cpu::DebugStops::Places& places);
    void hurry();

    history::Timeline& timeline_;
    cpu::DebugStops stops_;
    const Hunt* hunt_ = nullptr;  // null: hits do not count
    std::function<bool()> is_interrupted_;
};

}  // namespace uchronia::debug
