#include "history/tape.h"

#include <algorithm>

#include "base/check.h"
#include "base/prng.h"

namespace uchronia::history {
namespace {

// Virtual time of all holds together: within what a machine's clock can count.
constexpr u64 kLongestHolds = u64{1} << 60;

Status check_holds(const std::vector<Hold>& holds) {
    const auto descending = [](const Hold& a, const Hold& b) { return a.tick > b.tick; };
    if (std::adjacent_find(holds.begin(), holds.end(), descending) != holds.end())
        return Error{"the tape's holds are not in the order of their ticks"};
    u64 length = 0;
    for (const Hold& hold : holds) {
        if (hold.length.value == 0 || hold.length.value > kLongestHolds - length)
            return Error{"the tape holds a CPU for no time, or for more than 36 years"};
        length += hold.length.value;
    }
    return {};
}

}  // namespace

void Tape::add(const Hold& hold) {
    const auto after =
        std::upper_bound(holds.begin(), holds.end(), hold,
                         [](const Hold& a, const Hold& b) { return a.tick < b.tick; });
    holds.insert(after, hold);
}

Status Tape::check_vcpus(u32 vcpu_count) const {
    for (const Hold& hold : holds) {
        if (hold.vcpu >= vcpu_count)
            return Error{"the tape holds CPU " + std::to_string(hold.vcpu) +
                         ", and the machine's CPUs are 0 to " + std::to_string(vcpu_count - 1)};
    }
    return {};
}

Status Tape::check() const {
    if (seeds.empty() || seeds.front().from != Ticks(0))
        return Error{"the tape has no seed for the run's start"};
    const auto not_ascending = [](const SeedChange& a, const SeedChange& b) {
        return a.from >= b.from;
    };
    if (std::adjacent_find(seeds.begin(), seeds.end(), not_ascending) != seeds.end())
        return Error{"the tape's seeds are not in the order of their moments"};
    std::map<std::pair<machine::DecisionKind, u64>, u64> seen;
    for (const Override& change : overrides) {
        if (static_cast<std::size_t>(change.kind) >= machine::kDecisionKinds)
            return Error{"the tape overrides a kind of decision that does not exist"};
        if (!seen.emplace(std::pair(change.kind, change.counter), change.value).second)
            return Error{"the tape overrides the same decision twice"};
    }
    return check_holds(holds);
}

u64 Tape::seed_at(Ticks moment) const {
    const auto after =
        std::upper_bound(seeds.begin(), seeds.end(), moment,
                         [](Ticks tick, const SeedChange& change) { return tick < change.from; });
    CHECK(after != seeds.begin());
    return std::prev(after)->seed;
}

TapeReader::TapeReader(Tape tape, Ticks origin) : tape_(std::move(tape)), origin_(origin) {
    CHECK(tape_.check().ok());
    for (const Override& change : tape_.overrides)
        overrides_.emplace(std::pair(change.kind, change.counter), change.value);
}

u64 TapeReader::word(machine::DecisionKind kind, u64 counter, Ticks moment) {
    if (!overrides_.empty()) {
        const auto found = overrides_.find({kind, counter});
        if (found != overrides_.end())
            return found->second;
    }
    return random_word(tape_.seed_at(moment - origin_), stream_of(kind, 0), counter);
}

std::optional<Hold> TapeReader::hold(u64 index) {
    if (index >= tape_.holds.size())
        return std::nullopt;
    Hold hold = tape_.holds[index];
    // A tick that no machine comes to stays one.
    hold.tick.value += std::min(origin_.value, ~u64{0} - hold.tick.value);
    return hold;
}

u64 stream_of(machine::DecisionKind kind, u64 machine_index) {
    return machine_index << 8 | static_cast<u64>(kind);
}

}  // namespace uchronia::history
