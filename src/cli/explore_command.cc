// uchronia explore: a command under many seeds.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "cli/cache.h"
#include "cli/code_cache.h"
#include "cli/commands.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/explore_progress.h"
#include "cli/explore_report.h"
#include "cli/interrupt_watcher.h"
#include "cli/message.h"
#include "cli/run_outside.h"
#include "cli/run_setup.h"
#include "explore/explore.h"
#include "history/history_file.h"
#include "host/file_lock.h"
#include "host/files.h"

namespace uchronia::cli {
namespace {

struct Options {
    RunOptions run;
    u64 seed_count = 0;
    u64 first_seed = 0;
    u64 stop_after = 0;
    unsigned job_count = 0;
    bool resume = false;
    bool json = false;
    std::size_t rows = 20;
    std::string save;
};

constexpr u64 kMostInput = u64{1} << 30;
constexpr unsigned kMostJobs = 1024;
constexpr char kDefaultTimeout[] = "60s";

constexpr char kFooter[] = R"(
Runs the command once under each of N seeds, starting with --first-seed, on all cores. A run fails
if the command does not exit with status 0. Standard output lists the distinct outcomes: how the
runs ended and, where outputs differ, the line that tells them apart, how often each came and the
lowest seed that shows it. The history of the first of each kind of failure is saved for replay.
Without --timeout, a run that takes 60 seconds of virtual time has failed. Standard input is read to
its end first, and every run gets the same.

Results are kept in the cache while it runs. After Ctrl-C or a kill, the same command line with
--resume goes on where it was; with more --seeds it adds to what there is. What is listed depends
neither on that nor on --jobs.

Exit status: 0 if no run failed, 1 if any did; 123, 125 and 130 as for 'run'.

Examples:
  uchronia explore --seeds 100 -- ./racy-test
  uchronia explore --seeds 100000 --stop-after 1 -- ./racy-test
  uchronia explore --seeds 1000 --resume --jobs 4 --save findings -- python3 server_test.py)";

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
    const std::string& command = failure.history->request.arguments.front();
    std::string name = command.substr(command.rfind('/') + 1);
    for (char& c : name) {
        const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                              (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
        c = is_plain ? c : '_';
    }
    return name + "-seed-" + std::to_string(failure.lowest_seed) + ".uch";
}

// Saved after all runs, so that no run sees another's file appear in a folder that it lists.
Status save_histories(const explore::Results& results, const std::string& folder,
                      SavedHistories& saved) {
    for (const explore::Failure& failure : results.failures()) {
        if (!failure.history)
            continue;
        const std::string path = folder + "/" + file_name(failure);
        if (Status status = history::save_history(*failure.history, path); !status)
            return status;
        saved.emplace(failure.lowest_seed, path);
    }
    return {};
}

int report(const explore::Explorer& explorer, const Options& options,
           const std::vector<std::string>& command, const std::string& folder, bool interrupted,
           double seconds) {
    const explore::Results& results = explorer.results();
    if (!explorer.contents_kept())
        say("the contents of the files that were read are not kept for replays: " +
            explorer.contents_kept().error().message);
    SavedHistories saved;
    const Status status = save_histories(results, folder, saved);
    const explore::Pace& pace = explorer.pace();
    const std::string text =
        options.json ? explore_json(results, saved, command, interrupted,
                                    {.runs = pace.runs,
                                     .seconds = seconds,
                                     .virtual_seconds = static_cast<double>(pace.time.value) / 1e9})
                     : explore_text(results, saved, options.rows == 0 ? ~u64{0} : options.rows);
    std::fputs(text.c_str(), stdout);
    if (std::fflush(stdout) != 0)
        return kHostError;
    if (!status)
        return fail(status.error(), kHostError);
    return results.failed() == 0 ? kSuccess : kFindings;
}

// The file in the cache that keeps the results of this exploration while it runs.
class KeptResults {
  public:
    // Errors: with --resume, that there cannot be such a file.
    Status open(const history::History& history, const Options& options) {
        identity_ = explore::identity_of_exploration(history, options.first_seed);
        const Result<std::string> folder = findings_folder("");
        if (!folder)
            return options.resume ? Status(folder.error()) : Status();
        path_ = *folder + "/" + to_hex(identity_) + ".results";
        Result<host::FileLock> lock = host::FileLock::take(path_, host::FileLock::Wait::kNo);
        if (!lock || !lock->held()) {
            const std::string why =
                !lock ? lock.error().message : "another process explores the same just now";
            if (options.resume)
                return Error{"--resume: " + why};
            say("the results are not kept for --resume: " + why);
            return {};
        }
        lock_ = std::move(*lock);
        return {};
    }

    // Puts the earlier results into the explorer, if they are wanted, and keeps what it adds.
    Status connect(explore::Explorer& explorer, const Options& options) {
        if (!lock_)
            return {};
        u64 size = 0;
        if (options.resume) {
            const Result<std::vector<u8>> file = host::read_file(path_);
            if (!file)
                return file.error();
            explore::LoggedResults earlier = explore::parse_results(*file, identity_);
            size = earlier.size;
            const u64 runs = earlier.runs.size();
            explorer.resume(std::move(earlier));
            say(runs == 0 ? "there is nothing to resume: these options have no results yet"
                          : "going on after " + std::to_string(runs) + " seeds");
            // There is more than was asked for, which stays.
            if (explorer.results().runs() != runs)
                return {};
        }
        log_ = std::make_unique<explore::ResultsLog>(path_, identity_, size);
        explorer.keep_results(*log_);
        return {};
    }

    // What is not yet in the file.
    void finish() {
        if (log_ == nullptr)
            return;
        if (Status status = log_->flush(); !status)
            say("the results are not kept for --resume: " + status.error().message);
    }

  private:
    Digest identity_;
    std::string path_;
    std::optional<host::FileLock> lock_;
    std::unique_ptr<explore::ResultsLog> log_;
};

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

    KeptResults kept;
    if (Status status = kept.open(*history, options); !status)
        return fail(status.error(), kHostError);
    unsigned jobs = options.job_count;
    if (jobs == 0)
        jobs = std::max(1u, std::thread::hardware_concurrency());
    const history::ContentStore store = content_store();
    const explore::OpenFiles files = opener(history->files);
    explore::Explorer explorer(
        **base, std::move(*history), files,
        {.first_seed = options.first_seed,
         .seed_count = options.seed_count,
         .stop_after = options.stop_after == 0 ? ~u64{0} : options.stop_after,
         .job_count = std::min(jobs, kMostJobs),
         .engine = options.run.engine,
         .library = code.library(),
         .store = &store});
    if (Status status = kept.connect(explorer, options); !status)
        return fail(status.error(), kHostError);
    ExploreProgress progress;
    explorer.on_progress([&](const explore::Results& results, const explore::Pace& pace) {
        progress.update(results, pace);
    });
    InterruptWatcher interrupts([&] { explorer.interrupt(); });
    const Status status = explorer.run();
    kept.finish();
    progress.finish(explorer.pace());
    if (!status)
        return fail(status.error(), kHostError);
    const int signal = interrupts.signal();
    if (signal != 0)
        say("stopped before the last seed; the same command line with --resume goes on");
    const int exit_status =
        report(explorer, options, command, *folder, signal != 0, progress.seconds());
    return signal == 0 ? exit_status : kSignalBase + signal;
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
    app->add_option("--stop-after", options->stop_after,
                    "Ends after so many failures, those of the lowest seeds")
        ->type_name("N");
    app->add_flag("--resume", options->resume,
                  "Goes on with what the same command line found before it was interrupted");
    app->add_option("--rows", options->rows, "Lists so many outcomes; 0: all")
        ->type_name("N")
        ->capture_default_str();
    app->add_flag("--json", options->json, "The results as JSON, with all outcomes");
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
