#include "tests/fuzz/pieces.h"

#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "base/state_io.h"
#include "tests/fuzz/environment.h"

namespace uchronia::fuzz {
namespace {

constexpr u64 kMostStops = 16;
// Timers that fire without anyone listening would otherwise cost most of the time.
constexpr VirtualTime kLimit = VirtualTime(1'000'000'000);

struct Ending {
    machine::StopReason reason;
    u64 ticks = 0;
    Digest digest;
    std::vector<u8> heard;
    std::vector<FieldValue> fields;
};

bool is_final(machine::Stop stop) {
    return stop != machine::Stop::kTick && stop != machine::Stop::kReady &&
           stop != machine::Stop::kExited && stop != machine::Stop::kAgentPanic;
}

class Run {
  public:
    explicit Run(machine::Machine& machine) : machine_(machine) {
        machine_.set_environment({.decisions = &decisions_,
                                  .outside = &outside_,
                                  .files = nullptr,
                                  .request = std::vector<u8>(100, 0x5a)});
    }

    // Runs to `end`; `piece` gives the length of each piece and may do something before it.
    template <class Piece>
    Ending to(Ticks end, VirtualTime time, Piece piece) {
        Ending ending;
        for (u64 stops = 0; machine_.ticks() < end && stops < kMostStops;) {
            const u64 count = std::min<u64>(piece(), (end - machine_.ticks()).value);
            ending.reason = machine_.run(machine_.ticks() + Ticks(count), time);
            if (ending.reason.stop != machine::Stop::kTick)
                ++stops;
            if (is_final(ending.reason.stop))
                break;
        }
        ending.ticks = machine_.ticks().value;
        ending.digest = machine_.state_digest();
        ending.heard = outside_.heard();
        ListingVisitor listing;
        machine_.fields(listing);
        ending.fields = listing.values();
        return ending;
    }

  private:
    machine::Machine& machine_;
    FixedDecisions decisions_;
    RememberingOutside outside_;
};

void compare(const Ending& a, const Ending& b) {
    if (a.reason.stop == b.reason.stop && a.reason.message == b.reason.message &&
        a.ticks == b.ticks && a.digest == b.digest && a.heard == b.heard)
        return;
    std::fprintf(stderr, "\nin one piece: %s, %llu ticks\nin pieces:    %s, %llu ticks\n",
                 description_of(a.reason).c_str(), static_cast<unsigned long long>(a.ticks),
                 description_of(b.reason).c_str(), static_cast<unsigned long long>(b.ticks));
    for (const std::string& difference : differing_fields(a.fields, b.fields))
        std::fprintf(stderr, "%s\n", difference.c_str());
    CHECK(!"the same history");
}

}  // namespace

void check_pieces(Input& input, machine::Machine& machine, u64 ticks) {
    const Ticks end = machine.ticks() + Ticks(ticks);
    const VirtualTime time = machine.now() + kLimit;
    const machine::Checkpoint start = machine.checkpoint();
    const Ending whole = Run(machine).to(end, time, [] { return ~u64{0}; });

    CHECK(machine.restore(start).ok());
    const Ending pieces = Run(machine).to(end, time, [&] {
        if (input.percent(20))
            machine.drop_caches();
        if (input.percent(20))
            machine.state_digest();
        if (input.percent(10))
            CHECK(machine.restore(machine.checkpoint()).ok());
        return 1 + input.below(input.percent(50) ? 4 : 60);
    });
    compare(whole, pieces);
}

}  // namespace uchronia::fuzz
