// The decoder against the host CPU: random byte strings at the end of a page, executed there with
// as many bytes as our decoder says the instruction has, and with one less (docs/testing.md).
//
//     decoder_host [--strings N] [--seed S] [--failures N]
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/decoder_host/strings.h"

namespace uchronia::decoder_host {
namespace {

using namespace cpu;
using Number = unsigned long long;

struct Options {
    u64 strings = 100'000;
    u64 seed = 1;
    u64 failures = 10;
};

// In shared memory, for when a string ends the process.
struct Progress {
    u64 strings = 0, left_out = 0, undefined = 0, failures = 0;
    String string{};
};

// Near branches that lead out of the page fault at their target or behind the page.
bool leaves_page(const Decoded& decoded, std::string_view name) {
    if (!name.ends_with("_Jb") && !name.ends_with("_Jz"))
        return false;
    const i64 distance = static_cast<i64>(decoded.op.immediate) - decoded.op.length;
    return distance >= 0 || distance < -static_cast<i64>(kPageSize);
}

Flow flow_of(const Decoded& decoded) {
    const InstructionRow& row = row_of(decoded.instruction);
    if (row.host == HostPolicy::kControl)
        return leaves_page(decoded, row.name) ? Flow::kLeaves : Flow::kBranches;
    return (row.attributes & attribute::kEnd) == 0 ? Flow::kFallsThrough : Flow::kBranches;
}

class Comparison final : public Attempts {
  public:
    Comparison(const Options& options, Progress& progress)
        : options_(options), progress_(progress), random_(options.seed) {}

    bool next(Attempt& attempt) override {
        if (!shorter_ && !choose())
            return false;
        attempt.bytes = progress_.string;
        attempt.size = shorter_ ? length_ - 1 : length_;
        attempt.flow = flow_;
        return true;
    }

    void outcome(Outcome outcome) override {
        const Outcome wanted = shorter_               ? Outcome::kNeedsMore
                               : is_defined_ || long_ ? Outcome::kExecuted
                                                      : Outcome::kUndefined;
        if (outcome != wanted) {
            report(outcome);
            shorter_ = false;
            return;
        }
        // The length of what is undefined means nothing.
        shorter_ = !shorter_ && is_defined_ && length_ > 1;
    }

  private:
    bool choose() {
        for (;;) {
            if (progress_.strings == options_.strings || progress_.failures >= options_.failures)
                return false;
            ++progress_.strings;
            progress_.string = make_string(random_);
            const DecodeStatus status = decode(progress_.string, CodeMode::k64, 0, decoded_);
            if (!is_left_out(progress_.string, decoded_, status)) {
                note(status);
                return true;
            }
            ++progress_.left_out;
        }
    }

    void note(DecodeStatus status) {
        is_defined_ = status == DecodeStatus::kDone &&
                      decoded_.instruction != Instruction::kUndefined &&
                      row_of(decoded_.instruction).name.substr(0, 2) != "UD";
        long_ = status == DecodeStatus::kTooLong;
        length_ = is_defined_ ? decoded_.op.length : kLongest;
        flow_ = is_defined_ ? flow_of(decoded_) : Flow::kBranches;
        progress_.undefined += is_defined_ ? 0 : 1;
    }

    void report(Outcome outcome) {
        static constexpr const char* kNames[] = {"executed", "#UD", "longer", "shorter"};
        ++progress_.failures;
        for (const u8 byte : progress_.string)
            std::printf("%02x ", byte);
        const std::string name(row_of(decoded_.instruction).name);
        std::printf(" %s of %u bytes: the host: %s%s\n", is_defined_ ? name.c_str() : "undefined",
                    length_, kNames[static_cast<unsigned>(outcome)],
                    shorter_ ? " with one byte less" : "");
    }

    const Options& options_;
    Progress& progress_;
    witness::Random random_;
    Decoded decoded_{};
    unsigned length_ = 0;
    Flow flow_ = Flow::kBranches;
    bool is_defined_ = false, long_ = false;
    bool shorter_ = false;  // the present attempt has one byte less
};

int run(const Options& options) {
    void* shared = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    Progress& progress = *new (shared) Progress;
    std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
    const pid_t child = ::fork();
    if (child == 0) {
        Comparison comparison(options, progress);
        const bool done = execute(comparison);
        std::fflush(stdout);
        ::_exit(done ? 0 : 2);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    std::printf("%llu strings, seed %llu: %llu left out, %llu undefined, %llu different\n",
                static_cast<Number>(progress.strings), static_cast<Number>(options.seed),
                static_cast<Number>(progress.left_out), static_cast<Number>(progress.undefined),
                static_cast<Number>(progress.failures));
    if (WIFSIGNALED(status)) {
        std::printf("signal %d ended the process at:", WTERMSIG(status));
        for (const u8 byte : progress.string)
            std::printf(" %02x", byte);
        std::printf("\n");
    }
    return status == 0 && progress.failures == 0 ? 0 : 1;
}

bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string word = argv[i];
        const u64 value = std::strtoull(argv[i + 1], nullptr, 0);
        if (word == "--strings")
            options.strings = value;
        else if (word == "--seed")
            options.seed = value;
        else if (word == "--failures")
            options.failures = value;
        else
            return false;
    }
    return argc % 2 == 1;
}

}  // namespace
}  // namespace uchronia::decoder_host

int main(int argc, char** argv) {
    uchronia::decoder_host::Options options;
    if (!uchronia::decoder_host::parse(argc, argv, options)) {
        std::fprintf(stderr, "usage: decoder_host [--strings N] [--seed S] [--failures N]\n");
        return 2;
    }
    return uchronia::decoder_host::run(options);
}
