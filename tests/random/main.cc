// Random guest programs, run by the interpreter and by the translator, with and without
// disturbances: the states must be equal (docs/testing.md).
//
//     random_programs [--seed S] [--cases N] [--seconds T] [--mixed-privilege] [--failures N]
//     random_programs --seed S --case N [--keep PIECES] [--mixed-privilege] [--show]
//
// The first form runs cases until one of the limits. A case that differs, or that ends the process,
// is reduced to the fewest pieces and shown, with the command that repeats it: the second form.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/random/generator.h"
#include "tests/random/reduce.h"
#include "tests/random/report.h"

namespace uchronia::random {
namespace {

using Clock = std::chrono::steady_clock;
using Number = unsigned long long;

struct Options {
    u64 seed = 1;
    u64 first = 0;
    u64 cases = ~u64{0};
    u64 seconds = 10;
    u64 failures = 1;
    bool single = false;
    bool show = false;
    std::string keep = "all";
    Privileges privileges = Privileges::kOne;
};

// What a worker tells while it runs, in shared memory.
struct Progress {
    volatile u64 next = 0;        // the case that is running, and will be the next one
    volatile u64 ticks = 0;       // of the interpreter
    volatile u64 cut = 0;         // programs that came to an end of their own
    volatile u64 translated = 0;  // entries into translated code
    volatile u64 helpers = 0;
};

struct Computers {
    Computer reference, other;
};

Subject subject_of(const Program& program, const Mask& mask, u64 seed, u64 number) {
    return {program, image_of(program, mask), witness::case_seed(seed, 0xd157, number)};
}

// The first way that differs, or kInterpreter.
Way differing_way(Computers& computers, const Subject& subject) {
    const auto wanted = run(computers.reference, subject, Way::kInterpreter, ~u64{0});
    for (const Way way : kWays) {
        if (run(computers.other, subject, way, ~u64{0}) != wanted)
            return way;
    }
    return Way::kInterpreter;
}

Program program_of(const Options& options, u64 number) {
    return make_program(options.seed, number, options.privileges);
}

// One case in full; false if the pieces of `mask` run differently.
bool agrees(const Options& options, u64 number, const Mask& mask) {
    const Program program = program_of(options, number);
    Computers computers;
    return differing_way(computers, subject_of(program, mask, options.seed, number)) ==
           Way::kInterpreter;
}

// Runs cases until a limit; false at the first one that differs.
bool work(const Options& options, Clock::time_point end, Progress& progress) {
    Computers computers;
    if (computers.other.missing_host_feature() != nullptr) {
        std::printf("skipped: the host has no %s\n", computers.other.missing_host_feature());
        return true;
    }
    while (progress.next < options.cases && Clock::now() < end) {
        const u64 number = progress.next;
        const Program program = program_of(options, number);
        const Mask mask(program.pieces.size(), true);
        const Subject subject = subject_of(program, mask, options.seed, number);
        if (differing_way(computers, subject) != Way::kInterpreter)
            return false;
        progress.ticks = progress.ticks + computers.reference.ticks();
        progress.cut = progress.cut + (computers.reference.ended() ? 1 : 0);
        progress.next = number + 1;
        progress.translated = computers.other.translator()->counters().entries;
        progress.helpers = computers.other.translator()->counters().helper_calls;
    }
    return true;
}

void show(const Options& options, u64 number, const Mask& mask) {
    const Program program = program_of(options, number);
    const Subject subject = subject_of(program, mask, options.seed, number);
    print_program(program, mask, subject.image);
    std::fflush(stdout);
    Computers computers;
    const Way way = differing_way(computers, subject);
    if (way != Way::kInterpreter)
        print_difference(computers.reference, computers.other, subject, way);
    else
        std::printf("equal\n");
}

void report_failure(const Options& options, u64 number, int signal) {
    std::printf("seed %llu, case %llu: %s %d\n", static_cast<Number>(options.seed),
                static_cast<Number>(number), signal != 0 ? "ended by signal" : "differs", signal);
    Mask mask(program_of(options, number).pieces.size(), true);
    const auto fails = [&](const Mask& kept) { return !agrees(options, number, kept); };
    if (try_apart([&] { return fails(mask); }).failed())
        mask = reduce(mask, fails);
    else
        std::printf("  not when it runs alone: repeat with --first\n");
    std::printf("  again: random_programs --seed %llu --case %llu --keep %s%s --show\n",
                static_cast<Number>(options.seed), static_cast<Number>(number),
                to_text(mask).c_str(),
                options.privileges == Privileges::kMixed ? " --mixed-privilege" : "");
    try_apart([&] {
        show(options, number, mask);
        std::fflush(stdout);
        return false;
    });
    std::fflush(stdout);
}

int run_many(const Options& options) {
    void* shared = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    Progress& progress = *new (shared) Progress;
    progress.next = options.first;
    const auto end = Clock::now() + std::chrono::seconds(options.seconds);
    u64 failures = 0;
    while (progress.next < options.cases && Clock::now() < end && failures < options.failures) {
        std::fflush(stdout);
        const pid_t child = ::fork();
        if (child == 0) {
            const bool fine = work(options, end, progress);
            std::fflush(stdout);
            ::_exit(fine ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            break;
        ++failures;
        report_failure(options, progress.next, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        progress.next = progress.next + 1;
    }
    std::printf(
        "%llu cases from seed %llu, %llu ticks, %llu ended early, %llu failures; translated "
        "code was entered %llu times and executed %llu instructions by helpers\n",
        static_cast<Number>(progress.next - options.first), static_cast<Number>(options.seed),
        static_cast<Number>(progress.ticks), static_cast<Number>(progress.cut),
        static_cast<Number>(failures), static_cast<Number>(progress.translated),
        static_cast<Number>(progress.helpers));
    return failures == 0 ? 0 : 1;
}

int run_one(const Options& options) {
    Mask mask;
    if (!parse_mask(options.keep, program_of(options, options.first).pieces.size(), mask)) {
        std::fprintf(stderr, "--keep: there are no such pieces\n");
        return 2;
    }
    if (options.show)
        show(options, options.first, mask);
    const bool fine = agrees(options, options.first, mask);
    std::printf("%s\n", fine ? "equal" : "different");
    return fine ? 0 : 1;
}

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--mixed-privilege") {
            options.privileges = Privileges::kMixed;
            continue;
        }
        if (word == "--show") {
            options.show = true;
            continue;
        }
        if (i + 1 >= argc)
            return false;
        const char* const value = argv[++i];
        const u64 number = std::strtoull(value, nullptr, 0);
        if (word == "--seed")
            options.seed = number;
        else if (word == "--case")
            options.single = true, options.first = number;
        else if (word == "--first")
            options.first = number;
        else if (word == "--cases")
            options.cases = number;
        else if (word == "--seconds")
            options.seconds = number;
        else if (word == "--failures")
            options.failures = number;
        else if (word == "--keep")
            options.keep = value;
        else
            return false;
    }
    if (options.cases != ~u64{0})
        options.cases += options.first;
    return true;
}

}  // namespace
}  // namespace uchronia::random

int main(int argc, char** argv) {
    using namespace uchronia::random;
    Options options;
    if (!parse(argc, argv, options)) {
        std::fprintf(stderr,
                     "usage: random_programs [--seed S] [--first N] [--cases N] [--seconds T] "
                     "[--failures N] [--mixed-privilege]\n"
                     "       random_programs --seed S --case N [--keep PIECES] [--show] "
                     "[--mixed-privilege]\n");
        return 2;
    }
    return options.single ? run_one(options) : run_many(options);
}
