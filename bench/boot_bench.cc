// Measures what a user waits for: the boot of the base image, with the interpreter's speed on it,
// and `uchronia run -- true` with a warm cache. Prints the median and the range of several rounds.
//
//     uchronia_bench [--rounds N] [--kernel FILE] [--memory MIB]
//
// It is outside of the wall: it reads the host's clock. Exit status 1 if something could not be
// measured.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "host/clock.h"
#include "machine/base_image.h"

extern char** environ;

namespace uchronia {
namespace {

const std::string kProgramFolder = UCHRONIA_PROGRAM_FOLDER;

struct Options {
    unsigned rounds = 3;
    std::string kernel;  // empty: the newest installed one
    u64 memory_size = machine::MachineConfig{}.memory_size;
};

// Seconds that `work` takes.
template <class Work>
double seconds_of(Work work) {
    const u64 start = host::monotonic_nanoseconds();
    work();
    return static_cast<double>(host::monotonic_nanoseconds() - start) / 1e9;
}

void print_row(const char* what, const char* unit, std::vector<double> values) {
    std::sort(values.begin(), values.end());
    std::printf("%-40s %10.3f %-6s (%.3f to %.3f, %zu rounds)\n", what, values[values.size() / 2],
                unit, values.front(), values.back(), values.size());
    std::fflush(stdout);
}

[[noreturn]] void fail(const std::string& message) {
    std::fprintf(stderr, "uchronia_bench: %s\n", message.c_str());
    std::exit(1);
}

machine::KernelFiles find_kernel(const Options& options) {
    const auto kernel = options.kernel.empty() ? machine::find_installed_kernel("/")
                                               : machine::find_modules_of(options.kernel, "/");
    if (!kernel)
        fail(kernel.error().message);
    return *kernel;
}

// Ticks from power-on to the moment of the base image.
u64 ticks_of(const std::string& path) {
    const auto image = machine::BaseImage::open(path, machine::Disk{});
    if (!image)
        fail(image.error().message);
    memory::FrameStore frames;
    machine::Machine machine(frames, (*image)->config());
    if (const Status status = (*image)->start(machine, frames); !status)
        fail(status.error().message);
    return machine.ticks().value;
}

void measure_boot(const Options& options) {
    machine::MachineConfig config;
    config.memory_size = options.memory_size;
    const auto ingredients =
        machine::read_ingredients(find_kernel(options), kProgramFolder + "/uchronia-agent", config);
    if (!ingredients)
        fail(ingredients.error().message);
    const std::string path = kProgramFolder + "/bench-base-image";
    std::vector<double> seconds, speeds;
    for (unsigned round = 0; round < options.rounds; ++round) {
        machine::SilentOutside silence;
        Status status;
        seconds.push_back(
            seconds_of([&] { status = machine::boot_base_image(*ingredients, silence, path); }));
        if (!status)
            fail(status.error().message);
        speeds.push_back(static_cast<double>(ticks_of(path)) / seconds.back() / 1e6);
    }
    std::printf("%-40s %10.1f million ticks\n", "boot to the agent",
                static_cast<double>(ticks_of(path)) / 1e6);
    ::unlink(path.c_str());
    print_row("boot to the agent, image written", "s", seconds);
    print_row("interpreter on the boot", "M/s", speeds);
}

// Runs a command without input and output; fails if it fails.
void run_silently(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& word : command)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int descriptor : {0, 1, 2})
        posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
    pid_t child = 0;
    const int error =
        posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        fail("cannot start " + command[0] + ": " + std::strerror(error));
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail(command[0] + " failed; run it by hand to see why");
}

void measure_run(const Options& options) {
    std::vector<std::string> command = {kProgramFolder + "/uchronia", "run"};
    if (!options.kernel.empty())
        command.insert(command.end(), {"--kernel", options.kernel});
    command.insert(command.end(), {"--", "/bin/true"});
    run_silently(command);  // warms the cache
    std::vector<double> seconds;
    for (unsigned round = 0; round < 5 * options.rounds; ++round)
        seconds.push_back(seconds_of([&] { run_silently(command); }));
    print_row("uchronia run -- true, warm cache", "s", seconds);
}

Options parse(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        if (i + 1 == count)
            fail("usage: uchronia_bench [--rounds N] [--kernel FILE] [--memory MIB]");
        const char* value = words[++i];
        if (word == "--rounds")
            options.rounds = static_cast<unsigned>(std::max(1, std::atoi(value)));
        else if (word == "--kernel")
            options.kernel = value;
        else if (word == "--memory")
            options.memory_size = std::strtoull(value, nullptr, 10) << 20;
        else
            fail("unknown option " + std::string(word));
    }
    return options;
}

}  // namespace
}  // namespace uchronia

int main(int count, char** words) {
    const uchronia::Options options = uchronia::parse(count, words);
    uchronia::measure_boot(options);
    uchronia::measure_run(options);
    return 0;
}
