// Measures going back: checkpoints, restores, and branches of a running guest.
//
//     uchronia_branch_bench [--rounds N] [--memory MIB] [--live N] [--kernel FILE]
//
// With --live, so many checkpoints of 200 pages of difference each are alive meanwhile.
// bench/branches draws what it says for several sizes of memory and numbers of checkpoints.
//
// It is outside of the wall: it reads the host's clock. Exit status 1 if something could not be
// measured.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/prng.h"
#include "history/tape.h"
#include "host/clock.h"
#include "host/file_tree.h"
#include "machine/base_image.h"
#include "machine/run_request.h"

namespace uchronia {
namespace {

constexpr u64 kWrittenPages = 200;
constexpr u64 kBranchTicks = 1'000'000;
const std::string kProgramFolder = UCHRONIA_PROGRAM_FOLDER;

[[noreturn]] void fail(const std::string& message) {
    std::fprintf(stderr, "uchronia_branch_bench: %s\n", message.c_str());
    std::exit(1);
}

template <class T>
T demand(Result<T> result) {
    if (!result)
        fail(result.error().message);
    return std::move(*result);
}

void demand(const Status& status) {
    if (!status)
        fail(status.error().message);
}

// Microseconds that `work` takes.
template <class Work>
double time_of(Work work) {
    const u64 start = host::monotonic_nanoseconds();
    work();
    return static_cast<double>(host::monotonic_nanoseconds() - start) / 1e3;
}

void print_row(const char* what, std::vector<double> values) {
    std::sort(values.begin(), values.end());
    std::printf("%-56s %10.1f us (%.1f to %.1f)\n", what, values[values.size() / 2], values.front(),
                values.back());
    std::fflush(stdout);
}

// A shell that computes for ever.
class Guest {
  public:
    explicit Guest(const machine::BaseImage& base)
        : files_(demand(host::FileTree::create(
              {.exports_if_present = {"/usr", "/bin", "/lib", "/lib64", "/etc"}}))),
          machine_(frames_, base.config()) {
        demand(base.start(machine_, frames_));
        machine::RunRequest request;
        request.arguments = {"/bin/sh", "-c", "i=0; while :; do i=$((i + 1)); done"};
        request.environment = {"PATH=/usr/bin:/bin"};
        environment_ = {.decisions = nullptr,
                        .outside = &silence_,
                        .files = files_.get(),
                        .request = demand(machine::encode_run_request(request))};
        origin_ = machine_.ticks();
        take_seed(0);
        machine_.start_preemption();
        run(u64{200} * kBranchTicks);
    }

    void take_seed(u64 seed) {
        tape_ = std::make_unique<history::TapeReader>(history::Tape::from_seed(seed), origin_);
        environment_.decisions = tape_.get();
        machine_.set_environment(environment_);
    }
    void run(u64 ticks) {
        if (machine_.run(machine_.ticks() + Ticks(ticks)).stop != machine::Stop::kTick)
            fail("the guest has stopped");
    }
    // All over the guest's memory. The guest does not survive it.
    void touch_pages(u64 round) {
        const u64 count = machine_.ram().page_count();
        for (u64 i = 0; i < kWrittenPages; ++i) {
            const u64 page = random_word(round, 0, i) % count;
            if (u8* bytes = machine_.ram().write_page(page); bytes != nullptr)
                ++bytes[0];
        }
    }
    machine::Machine& machine() { return machine_; }
    // Bytes of the pages and nodes of all checkpoints and of the machine.
    u64 memory_in_use() {
        return frames_.live_count() * kPageSize +
               frames_.nodes().live_count() * sizeof(memory::PageNode);
    }

  private:
    std::unique_ptr<host::FileTree> files_;
    memory::FrameStore frames_;
    machine::Machine machine_;
    machine::SilentOutside silence_;
    machine::RunEnvironment environment_;
    Ticks origin_;
    std::unique_ptr<history::TapeReader> tape_;
};

machine::KernelFiles find_kernel(const std::string& named) {
    return demand(named.empty() ? machine::find_installed_kernel("/")
                                : machine::find_modules_of(named, "/"));
}

// Checkpoints side by side, each `kWrittenPages` away from `start`.
std::vector<machine::Checkpoint> keep_alive(Guest& guest, const machine::Checkpoint& start,
                                            u64 count) {
    const u64 before = guest.memory_in_use();
    std::vector<machine::Checkpoint> kept;
    u64 state_size = 0;
    for (u64 i = 0; i < count; ++i) {
        guest.touch_pages(1'000'000 + i);
        kept.push_back(guest.machine().checkpoint());
        state_size += kept.back().state.size();
        demand(guest.machine().restore(start));
    }
    if (count != 0)
        std::printf("%-56s %10.3f GiB\n",
                    (std::to_string(count) + " live checkpoints take").c_str(),
                    static_cast<double>(guest.memory_in_use() - before + state_size) / (1 << 30));
    return kept;
}

void measure(Guest& guest, unsigned rounds, u64 live_count) {
    std::vector<double> checkpoints, restores, writes, branches;
    const machine::Checkpoint start = guest.machine().checkpoint();
    const std::vector<machine::Checkpoint> live = keep_alive(guest, start, live_count);
    for (unsigned round = 0; round < rounds; ++round) {
        writes.push_back(time_of([&] { guest.touch_pages(round); }) / kWrittenPages);
        machine::Checkpoint checkpoint;
        checkpoints.push_back(time_of([&] { checkpoint = guest.machine().checkpoint(); }));
        restores.push_back(time_of([&] { demand(guest.machine().restore(start)); }));
    }
    print_row("checkpoint, 200 pages written since the last one", checkpoints);
    print_row("restore of one that differs in 200 pages", restores);
    print_row("the first write to a page after a checkpoint", writes);
    for (unsigned round = 0; round < rounds; ++round) {
        branches.push_back(time_of([&] {
            guest.take_seed(round);
            guest.run(kBranchTicks);
            demand(guest.machine().restore(start));
        }));
    }
    print_row("branch, run 1,000,000 ticks, drop", branches);
}

}  // namespace
}  // namespace uchronia

int main(int count, char** words) {
    using namespace uchronia;
    machine::MachineConfig config;
    unsigned rounds = 100;
    u64 live_count = 0;
    std::string kernel;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (i + 1 == count ||
            (word != "--rounds" && word != "--memory" && word != "--live" && word != "--kernel"))
            fail(
                "usage: uchronia_branch_bench [--rounds N] [--memory MIB] [--live N] "
                "[--kernel FILE]");
        const u64 value = std::strtoull(words[++i], nullptr, 10);
        if (word == "--kernel")
            kernel = words[i];
        else if (word == "--live")
            live_count = value;
        else if (word == "--rounds")
            rounds = std::max(1u, static_cast<unsigned>(value));
        else
            config.memory_size = value << 20;
    }
    const machine::BaseIngredients ingredients = demand(
        machine::read_ingredients(find_kernel(kernel), kProgramFolder + "/uchronia-agent", config));
    const std::string path = kProgramFolder + "/branch-bench-image";
    machine::SilentOutside silence;
    demand(machine::boot_base_image(ingredients, silence, path));
    const auto base = demand(machine::BaseImage::open(path, machine::Disk{}));
    ::unlink(path.c_str());
    Guest guest(*base);
    measure(guest, rounds, live_count);
    return 0;
}
