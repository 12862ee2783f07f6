// Whatever code a guest runs, with whatever page tables, in ring 0 or 3: no input makes the host
// program fail or hang, and the history does not depend on how the run is cut into pieces, on what
// is cached, or on checkpoints on the way (engine.md, 6.4).
#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "base/state_io.h"
#include "tests/fuzz/environment.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/target.h"

namespace uchronia::fuzz {
namespace {

constexpr u64 kMostStops = 16;

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

    // Runs to `end`; `piece` gives the length of each piece and may do something between two.
    template <class Piece>
    Ending to(Ticks end, Piece piece) {
        Ending ending;
        for (u64 stops = 0; machine_.ticks() < end && stops < kMostStops;) {
            const u64 count = std::min(piece(), (end - machine_.ticks()).value);
            ending.reason = machine_.run(machine_.ticks() + Ticks(count));
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

std::vector<std::vector<u8>> seeds() {
    return {};
}

}  // namespace uchronia::fuzz

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace uchronia;
    using namespace uchronia::fuzz;
    Input input(data, size);
    memory::FrameStore frames;
    machine::Machine machine(frames, kSmallMachine);
    make_guest(input, machine);
    const machine::Checkpoint start = machine.checkpoint();
    const Ticks end(64 + input.below(2000));

    const Ending whole = Run(machine).to(end, [] { return ~u64{0}; });

    CHECK(machine.restore(start).ok());
    const Ending pieces = Run(machine).to(end, [&] {
        if (input.percent(20))
            machine.drop_caches();
        if (input.percent(20))
            machine.state_digest();
        if (input.percent(10))
            CHECK(machine.restore(machine.checkpoint()).ok());
        return 1 + input.below(input.percent(50) ? 4 : 60);
    });
    compare(whole, pieces);
    return 0;
}
