// uchronia explore: a command under many seeds.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "cli/cache.h"
#include "cli/code_cache.h"
#include "cli/commands.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/explore_progress.h"
#include "cli/interrupt_watcher.h"
#include "cli/message.h"
#include "cli/run_outside.h"
#include "cli/run_setup.h"
#include "explore/explore.h"
#include "history/history_file.h"
#include "host/files.h"

namespace uchronia::cli {
namespace {

struct Options {
    RunOptions run;
    u64 seed_count = 0;
    u64 first_seed = 0;
    unsigned job_count = 0;
    std::string save;
};

constexpr u64 kMostInput = u64{1} << 30;
constexpr unsigned kMostJobs = 1024;
constexpr char kDefaultTimeout[] = "60s";

constexpr char kFooter[] = R"(
Runs the command once under each of N seeds, starting with --first-seed, on all cores. A run fails
if the command does not exit with status 0. The distinct failures are listed on standard output with
how often each came and the lowest seed that shows it; the history of that seed is saved for replay.
The result does not depend on --jobs. Without --timeout, a run that takes 60 seconds of virtual time
has failed. Standard input is read to its end first, and every run gets the same.

Exit status: 0 if no run failed, 1 if any did; 123, 125 and 130 as for 'run'.

Examples:
  uchronia explore --seeds 100 -- ./racy-test
  uchronia explore --seeds 1000 --jobs 4 --timeout 5s --save findings -- python3 server_test.py)";

Result<std::vector<u8>> read_all_input() {
    RunOutside outside(ConsoleUse::kDrop);
    std::vector<u8> input(1 << 16);
    u64 size = 0;
    while (const u64 count = outside.input(size, std::span(input).subspan(size))) {
        size += count;
        if (size > kMostInput)
            return Error{"standard input is longer than 1 GiB; put it into a file"};
        if (size == input.size())
            input.resize(2 * input.size());
    }
    input.resize(size);
    return input;
}

Result<std::string> findings_folder(const std::string& named) {
    std::string folder = named;
    if (folder.empty()) {
        const Result<std::string> cache = cache_folder();
        if (!cache)
            return cache.error();
        folder = *cache + "/findings";
    }
    if (Status status = host::create_directories(folder); !status)
        return status.error();
    return folder;
}

// The histories lie beside each other under names that tell command and seed.
std::string file_name(const explore::Failure& failure) {
    const std::string& command = failure.history.request.arguments.front();
    std::string name = command.substr(command.rfind('/') + 1);
    for (char& c : name) {
        const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                              (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
        c = is_plain ? c : '_';
    }
    return name + "-seed-" + std::to_string(failure.lowest_seed) + ".uch";
}

// Saved after all runs, so that no run sees another's file appear in a folder that it lists.
int report(const explore::Findings& findings, const std::string& folder) {
    int exit_status = findings.failures.empty() ? kSuccess : kFindings;
    std::printf("%llu seeds: %llu passed, %llu failed\n",
                static_cast<unsigned long long>(findings.runs),
                static_cast<unsigned long long>(findings.passed),
                static_cast<unsigned long long>(findings.runs - findings.passed));
    if (!findings.contents_kept)
        say("the contents of the files that were read are not kept for replays: " +
            findings.contents_kept.error().message);
    for (const explore::Failure& failure : findings.failures) {
        const std::string path = folder + "/" + file_name(failure);
        const Status saved = history::save_history(failure.history, path);
        std::printf("%6llu x %s; first with seed %llu\n",
                    static_cast<unsigned long long>(failure.count), failure.description.c_str(),
                    static_cast<unsigned long long>(failure.lowest_seed));
        if (saved)
            std::printf("         uchronia replay %s\n", path.c_str());
        else
            exit_status = fail(saved.error(), kHostError);
    }
    return std::fflush(stdout) == 0 ? exit_status : static_cast<int>(kHostError);
}

explore::OpenFiles opener(const history::FileView& view) {
    return [view] { return open_files(view); };
}

// The history that all seeds share.
Result<history::History> prepare(const Options& options, const std::vector<std::string>& command) {
    Result<history::History> history = make_history(options.run, command, 0);
    if (!history || history->request.input == machine::StandardInput::kNone)
        return history;
    Result<std::vector<u8>> input = read_all_input();
    if (!input)
        return input.error();
    history->input = std::move(*input);
    return history;
}

int explore_seeds(const Options& options, const std::vector<std::string>& command) {
    if (options.seed_count == 0)
        return fail(Error{"--seeds: at least one seed is needed"}, kHostError);
    const Result<std::string> folder = findings_folder(options.save);
    if (!folder)
        return fail(folder.error(), kHostError);
    Result<history::History> history = prepare(options, command);
    if (!history)
        return fail(history.error(), kHostError);
    say_if_engine_is_missing(options.run.engine);
    const CodeCache code;
    const Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image(history->base, options.run.engine, code.library());
    if (!base)
        return fail(base.error(), kBootFailed);

    unsigned jobs = options.job_count;
    if (jobs == 0)
        jobs = std::max(1u, std::thread::hardware_concurrency());
    const history::ContentStore store = content_store();
    const explore::OpenFiles files = opener(history->files);
    explore::Explorer explorer(**base, std::move(*history), files,
                               {.first_seed = options.first_seed,
                                .seed_count = options.seed_count,
                                .job_count = std::min(jobs, kMostJobs),
                                .engine = options.run.engine,
                                .library = code.library(),
                                .store = &store});
    ExploreProgress progress(options.seed_count);
    explorer.on_progress([&](const explore::Findings& findings) { progress.update(findings); });
    InterruptWatcher interrupts([&] { explorer.interrupt(); });
    const Result<explore::Findings> findings = explorer.run();
    progress.finish();
    if (!findings)
        return fail(findings.error(), kHostError);
    const int exit_status = report(*findings, *folder);
    return interrupts.signal() == 0 ? exit_status : kSignalBase + interrupts.signal();
}

}  // namespace

Command add_explore_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("explore", "Runs a command under many seeds");
    auto options = std::make_shared<Options>();
    options->run.timeout = kDefaultTimeout;
    app->add_option("--seeds", options->seed_count, "How many seeds")->type_name("N")->required();
    app->add_option("--first-seed", options->first_seed, "The first of them")
        ->type_name("N")
        ->capture_default_str();
    app->add_option("--jobs", options->job_count, "How many runs at a time; else one for each core")
        ->type_name("J");
    add_run_options(*app, options->run);
    app->add_option("--save", options->save,
                    "The folder for the histories of failures; else 'findings' in the cache")
        ->type_name("DIR");
    app->footer(kFooter);
    app->formatter(command_formatter());
    return {.app = app,
            .run = [options](const auto& command) { return explore_seeds(*options, command); },
            .takes_command = true};
}

}  // namespace uchronia::cli
