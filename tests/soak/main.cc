// A long run of a guest, three times at once: by the translator, by the translator with everything
// done to it that must not change anything, and (a part of the intervals) by the interpreter. Their
// states must be equal after every interval (docs/testing.md).
//
//     soak [--ticks N] [--seed S] [--interval N] [--interpret PERCENT] [--skip N] [-- COMMAND...]
//
// The command is run as `uchronia run --seed S` would run it here; without one, a mixed load runs
// for ever. At a difference the first tick that shows it is searched, and the command is printed
// that repeats it.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cli/cache.h"
#include "cli/run_setup.h"
#include "tests/soak/difference.h"
#include "tests/soak/disturbed_run.h"
#include "tests/soak/kept_code.h"

namespace uchronia::soak {
namespace {

using machine::Engine;
using machine::StopReason;
using witness::Random;
using Number = unsigned long long;
using Clock = std::chrono::steady_clock;

// A disturbed machine is replaced by a new one, with other caches, after so many intervals.
constexpr u64 kIntervalsPerMachine = 16;
constexpr u64 kIntervalsPerLine = 10;

struct Options {
    u64 ticks = 1'000'000'000;
    u64 seed = 1;
    u64 interval = 100'000'000;
    u64 interpret = 5;
    u64 skip = 0;
    std::vector<std::string> command;
};

class Soak {
  public:
    Soak(const Options& options, const Subject& subject)
        : options_(options),
          subject_(subject),
          straight_(subject, frames_, Engine::kTranslator, {}, OutputUse::kShow),
          interpreted_(subject, frames_, Engine::kInterpreter) {}

    bool run() {
        StopReason reason;
        if (options_.skip != 0)
            reason = straight_.run(options_.skip);
        const u64 end = options_.skip + options_.ticks;
        while (reason.stop == machine::Stop::kTick && straight_.ticks() < end) {
            if (!run_interval(std::min(end, straight_.ticks() + options_.interval), reason))
                return false;
            if (++done_ % kIntervalsPerLine == 0)
                print_progress();
        }
        print_progress();
        disturbed_.reset();
        std::printf("%s\nthe disturbed machines: %s; %s\n", description_of(reason).c_str(),
                    kept_code_.description().c_str(), to_text(counts_).c_str());
        return true;
    }

  private:
    // What the pieces of an interval are made from; the machine's options likewise.
    Random random_of(u64 begin, u64 what) const {
        return Random(witness::case_seed(options_.seed, what, begin / options_.interval));
    }

    // Room for everything, or so little that code is evicted all the time.
    cpu::jit::TranslatorOptions translator_options(u64 begin) const {
        static constexpr unsigned kMegabytes[] = {6, 16, 96, 96, 96};
        Random random = random_of(begin, 2);
        cpu::jit::TranslatorOptions translator;
        translator.code_area_size = std::size_t{random.pick(kMegabytes)} << 20;
        return translator;
    }

    bool run_interval(u64 end, StopReason& reason) {
        const u64 begin = straight_.ticks();
        before_ = straight_.machine().checkpoint();
        if (disturbed_ == nullptr || done_ % kIntervalsPerMachine == 0) {
            disturbed_.reset();
            cpu::jit::TranslatorOptions translator = translator_options(begin);
            translator.library = kept_code_.choose(random_of(begin, 4));
            disturbed_ = new_guest(Engine::kTranslator, translator);
            born_ = begin;
        }
        reason = straight_.run(end);
        const Digest wanted = straight_.machine().state_digest();
        const u64 ticks = straight_.ticks();
        const auto is_same = [&](Guest& guest) {
            return guest.ticks() == ticks && guest.machine().state_digest() == wanted;
        };
        run_disturbed(*disturbed_, end, random_of(begin, 1), counts_);
        if (!is_same(*disturbed_))
            return report(begin, ticks, Engine::kTranslator);
        if (random_of(begin, 3).percent(static_cast<u32>(options_.interpret))) {
            interpreted_.restore(before_);
            interpreted_.run(end);
            ++interpreted_intervals_;
            if (!is_same(interpreted_))
                return report(begin, ticks, Engine::kInterpreter);
        }
        return true;
    }

    std::unique_ptr<Guest> new_guest(Engine engine,
                                     const cpu::jit::TranslatorOptions& translator = {}) {
        auto guest = std::make_unique<Guest>(subject_, frames_, engine, translator);
        guest->restore(before_);
        return guest;
    }

    // `who` differed from the straight run between `begin` and `end`.
    bool report(u64 begin, u64 end, Engine who) {
        std::printf("different after tick %llu, not later than %llu: the %s\n",
                    static_cast<Number>(begin), static_cast<Number>(end),
                    who == Engine::kInterpreter ? "interpreter" : "disturbed translator");
        const Manner interpreter{"interpreter", [&](u64 tick) {
                                     auto guest = new_guest(Engine::kInterpreter);
                                     guest->run(tick);
                                     return guest;
                                 }};
        const Manner translator{"translator", [&](u64 tick) {
                                    auto guest = new_guest(Engine::kTranslator);
                                    guest->run(tick);
                                    return guest;
                                }};
        const Manner disturbed{"disturbed translator", [&](u64 tick) {
                                   auto guest =
                                       new_guest(Engine::kTranslator, translator_options(born_));
                                   DisturbanceCounts counts{};
                                   run_disturbed(*guest, tick, random_of(begin, 1), counts);
                                   return guest;
                               }};
        u64 from = begin;
        if (!show_first_difference(interpreter, translator, begin, end) &&
            !show_first_difference(interpreter, disturbed, begin, end)) {
            std::printf("not from empty caches: it takes the run since tick %llu\n",
                        static_cast<Number>(born_));
            from = who == Engine::kInterpreter ? 0 : born_;
        }
        print_command(from, end);
        return false;
    }

    void print_command(u64 from, u64 end) const {
        std::printf(
            "again: soak --seed %llu --interval %llu --interpret 100 --skip %llu --ticks %llu",
            static_cast<Number>(options_.seed), static_cast<Number>(options_.interval),
            static_cast<Number>(from), static_cast<Number>(end - from));
        if (!options_.command.empty())
            std::printf(" --");
        for (const std::string& word : options_.command)
            std::printf(" '%s'", word.c_str());
        std::printf("\n");
    }

    void print_progress() {
        const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
        const u64 compared = straight_.ticks() - options_.skip;
        std::printf(
            "%llu ticks, %llu intervals equal, %llu of them interpreted too, %.1f s, "
            "%.0f million ticks/s, state %s\n",
            static_cast<Number>(compared), static_cast<Number>(done_),
            static_cast<Number>(interpreted_intervals_), seconds,
            static_cast<double>(compared) / seconds / 1e6,
            to_hex(straight_.machine().state_digest()).c_str());
        std::fflush(stdout);
    }

    const Options& options_;
    const Subject subject_;
    memory::FrameStore frames_;
    Guest straight_, interpreted_;
    KeptCode kept_code_;
    std::unique_ptr<Guest> disturbed_;
    u64 born_ = 0;  // the tick at which the disturbed machine was made
    machine::Checkpoint before_;
    DisturbanceCounts counts_{};
    u64 done_ = 0, interpreted_intervals_ = 0;
    const Clock::time_point begin_ = Clock::now();
};

int run(Options options) {
    if (const char* missing = machine::missing_host_feature(Engine::kTranslator)) {
        std::printf("skipped: the host has no %s\n", missing);
        return 0;
    }
    std::vector<std::string> command = options.command;
    if (command.empty()) {
        if (::chdir(UCHRONIA_SOAK_WORKLOAD) != 0)
            give_up(Error{"there is no folder " UCHRONIA_SOAK_WORKLOAD});
        command = {"sh", "load.sh"};
    }
    history::History history = demand(cli::make_history({}, command, options.seed));
    const auto base = demand(cli::obtain_base_image(history.base, Engine::kTranslator, nullptr));
    std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
    Soak soak(options, {*base, history});
    return soak.run() ? 0 : 1;
}

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; i += 2) {
        const std::string word = argv[i];
        if (word == "--") {
            options.command.assign(argv + i + 1, argv + argc);
            return !options.command.empty();
        }
        if (i + 1 >= argc)
            return false;
        const u64 number = static_cast<u64>(std::strtod(argv[i + 1], nullptr));  // or 1e11
        if (word == "--ticks")
            options.ticks = number;
        else if (word == "--seed")
            options.seed = number;
        else if (word == "--interval" && number != 0)
            options.interval = number;
        else if (word == "--interpret")
            options.interpret = number;
        else if (word == "--skip")
            options.skip = number;
        else
            return false;
    }
    return true;
}

}  // namespace
}  // namespace uchronia::soak

int main(int argc, char** argv) {
    uchronia::soak::Options options;
    if (!uchronia::soak::parse(argc, argv, options)) {
        std::fprintf(stderr,
                     "usage: soak [--ticks N] [--seed S] [--interval N] [--interpret PERCENT] "
                     "[--skip N] [-- COMMAND...]\n");
        return 2;
    }
    return uchronia::soak::run(options);
}
