#include "tests/soak/disturbed_run.h"

#include <algorithm>

namespace uchronia::soak {
namespace {

using machine::Engine;
using machine::StopReason;

// Pieces have all orders of magnitude; the mean is a million ticks.
constexpr unsigned kPieceBits = 25, kInterpretedBits = 20, kExcursionBits = 22;
constexpr u64 kFarthestBack = 4'000'000;

// Per thousand pieces. To translate everything again costs as much as 10^8 ticks.
struct Chance {
    Disturbance what;
    u32 per_mille;
};
constexpr Chance kChances[] = {
    {Disturbance::kDropCaches, 3},     {Disturbance::kHeat, 20},
    {Disturbance::kInterpreter, 60},   {Disturbance::kDigest, 40},
    {Disturbance::kSetBackAtOnce, 40}, {Disturbance::kExcursion, 60},
    {Disturbance::kSetBack, 50},
};

class Run {
  public:
    Run(Guest& guest, u64 end, witness::Random random, DisturbanceCounts& counts)
        : guest_(guest), end_(end), random_(random), counts_(counts) {}

    StopReason run() {
        StopReason reason;
        while (guest_.ticks() < end_) {
            const Disturbance what = choose();
            ++counts_[static_cast<std::size_t>(what)];
            before(what);
            reason =
                guest_.run(next(what == Disturbance::kInterpreter ? kInterpretedBits : kPieceBits));
            if (what == Disturbance::kInterpreter)
                guest_.machine().set_engine(Engine::kTranslator);
            if (reason.stop != machine::Stop::kTick)
                break;
        }
        return reason;
    }

  private:
    Disturbance choose() {
        u32 left = random_.below(1000);
        for (const Chance& chance : kChances) {
            if (left < chance.per_mille)
                return chance.what;
            left -= chance.per_mille;
        }
        return Disturbance::kNothing;
    }

    u64 next(unsigned most_bits) {
        const u64 size = 1 + random_.next() % (u64{1} << random_.below(most_bits + 1));
        return std::min(end_, guest_.ticks() + size);
    }

    void before(Disturbance what) {
        machine::Machine& machine = guest_.machine();
        switch (what) {
            case Disturbance::kDropCaches:
                return machine.drop_caches();
            case Disturbance::kHeat:
                return machine.set_heat_threshold(static_cast<u8>(random_.below(12)));
            case Disturbance::kInterpreter:
                return machine.set_engine(Engine::kInterpreter);
            case Disturbance::kDigest:
                machine.state_digest();
                return;
            case Disturbance::kSetBackAtOnce:
                return guest_.restore(machine.checkpoint());
            case Disturbance::kExcursion: {
                const machine::Checkpoint here = machine.checkpoint();
                guest_.run(next(kExcursionBits));
                return guest_.restore(here);
            }
            case Disturbance::kSetBack:
                return keep_or_set_back();
            case Disturbance::kNothing:
            case Disturbance::kCount:
                return;
        }
    }

    void keep_or_set_back() {
        if (kept_.ram != nullptr && guest_.ticks() - kept_tick_ < kFarthestBack) {
            guest_.restore(kept_);
            kept_ = {};
            return;
        }
        kept_ = guest_.machine().checkpoint();
        kept_tick_ = guest_.ticks();
    }

    Guest& guest_;
    const u64 end_;
    witness::Random random_;
    DisturbanceCounts& counts_;
    machine::Checkpoint kept_;
    u64 kept_tick_ = 0;
};

}  // namespace

std::string to_text(const DisturbanceCounts& counts) {
    static constexpr const char* kNames[] = {
        "caches dropped",   "heat changed", "pieces interpreted", "digests",
        "restored at once", "excursions",   "kept or set back",   "other pieces"};
    static_assert(std::size(kNames) == static_cast<std::size_t>(Disturbance::kCount));
    std::string text;
    for (std::size_t i = 0; i < counts.size(); ++i)
        text += std::string(i == 0 ? "" : ", ") + kNames[i] + " " + std::to_string(counts[i]);
    return text;
}

StopReason run_disturbed(Guest& guest, u64 tick, witness::Random random,
                         DisturbanceCounts& counts) {
    return Run(guest, tick, random, counts).run();
}

}  // namespace uchronia::soak
