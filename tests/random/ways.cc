#include "tests/random/ways.h"

#include <algorithm>

namespace uchronia::random {
namespace {

class Disturber {
  public:
    Disturber(Computer& computer, Way way, u64 seed)
        : computer_(computer), way_(way), random_(seed) {
        rate_ = random_.percent(20) ? 40 : 6;
    }

    void run(u64 ticks) {
        while (ticks != 0 && !computer_.ended()) {
            if (random_.percent(rate_))
                disturb();
            const u64 part = std::min<u64>(
                ticks, 1 + (random_.percent(50) ? random_.below(10) : random_.below(ticks)));
            computer_.run(part);
            ticks -= part;
        }
    }

  private:
    void disturb() {
        switch (random_.below(10)) {
            case 0:
                return computer_.drop_caches();
            case 1:
                return computer_.drop_translations();
            case 2:
                return computer_.drop_mappings();
            case 3:
                computer_.digest();
                return;
            case 4:
                saved_ = computer_.checkpoint();
                return;
            case 5:
            case 6: {
                const Computer::Checkpoint here = computer_.checkpoint();
                computer_.run(1 + random_.below(60));
                return computer_.restore(here);
            }
            case 7:
                return computer_.set_heat_threshold(static_cast<u8>(random_.below(4)));
            default:
                if (way_ == Way::kDisturbedTranslator)
                    computer_.set_engine(random_.percent(60) ? Engine::kTranslator
                                                             : Engine::kInterpreter);
                return;
        }
    }

    Computer& computer_;
    const Way way_;
    Random random_;
    u32 rate_;
    Computer::Checkpoint saved_;  // keeps pages shared
};

// The next tick at which every way stops.
u64 next_stop(const Program& program, u64 tick, u64 end) {
    u64 stop = std::min(end, (tick / program.interval + 1) * program.interval);
    for (const Program::Interrupt& interrupt : program.interrupts) {
        if (interrupt.tick > tick)
            stop = std::min(stop, interrupt.tick);
    }
    return stop;
}

}  // namespace

const char* name_of(Way way) {
    switch (way) {
        case Way::kInterpreter:
            return "interpreter";
        case Way::kTranslator:
            return "translator";
        case Way::kDisturbedTranslator:
            return "disturbed translator";
        case Way::kDisturbedInterpreter:
            return "disturbed interpreter";
    }
    return "";
}

std::vector<Moment> run(Computer& computer, const Subject& subject, Way way, u64 end) {
    const Program& program = subject.program;
    const bool translates = way == Way::kTranslator || way == Way::kDisturbedTranslator;
    computer.load(subject.image);
    computer.set_engine(translates ? Engine::kTranslator : Engine::kInterpreter);
    computer.set_heat_threshold(program.heat);
    Disturber disturber(computer, way, subject.seed);
    const bool disturbed = way == Way::kDisturbedTranslator || way == Way::kDisturbedInterpreter;
    std::vector<Moment> moments;
    end = std::min(end, program.ticks);
    while (computer.ticks() < end && !computer.ended()) {
        const u64 tick = computer.ticks();
        for (const Program::Interrupt& interrupt : program.interrupts) {
            if (interrupt.tick == tick)
                computer.interrupt(interrupt.vector);
        }
        const u64 ticks = next_stop(program, tick, end) - tick;
        if (disturbed)
            disturber.run(ticks);
        else
            computer.run(ticks);
        if (computer.ticks() % program.interval == 0)
            moments.push_back({computer.ticks(), computer.digest()});
    }
    moments.push_back({computer.ticks(), computer.digest()});
    return moments;
}

bool differs(Computer& reference, Computer& other, const Subject& subject, Way way) {
    return run(reference, subject, Way::kInterpreter, ~u64{0}) != run(other, subject, way, ~u64{0});
}

std::optional<u64> first_difference(Computer& reference, Computer& other, const Subject& subject,
                                    Way way) {
    const auto differs_at = [&](u64 tick) {
        return run(reference, subject, Way::kInterpreter, tick).back() !=
               run(other, subject, way, tick).back();
    };
    u64 equal = 0, different = subject.program.ticks;
    if (!differs_at(different)) {
        // A difference that goes away again: any tick at which it shows will do.
        const auto wanted = run(reference, subject, Way::kInterpreter, different);
        const auto found = run(other, subject, way, different);
        const auto at = std::mismatch(wanted.begin(), wanted.end(), found.begin(), found.end());
        if (at.first == wanted.end())
            return std::nullopt;
        different = at.first->tick;
        if (!differs_at(different))
            return different;
    }
    while (different - equal > 1) {
        const u64 middle = equal + (different - equal) / 2;
        (differs_at(middle) ? different : equal) = middle;
    }
    return different;
}

}  // namespace uchronia::random
