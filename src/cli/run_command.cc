// uchronia run: a command in a fresh machine.

#include <memory>

#include "cli/cache.h"
#include "cli/code_cache.h"
#include "cli/commands.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/holds.h"
#include "cli/message.h"
#include "cli/run_session.h"
#include "cli/run_setup.h"
#include "history/history_file.h"
#include "host/clock.h"

namespace uchronia::cli {
namespace {

struct Options {
    RunOptions run;
    u64 seed = 0;
    std::vector<std::string> holds;
    std::string save;
    ReportOptions report;
    bool verbose = false;
    bool perf_map = false;
};

constexpr char kFooter[] = R"(
The command sees this working directory, the installed software and its arguments and standard
input as on the host; the host's files are read-only, and what it writes vanishes with the machine.
It has a small fixed environment, to which --env adds. The same seed always gives the same run.

Exit status: the command's own (128+N if signal N killed it); 120 the guest's kernel panicked;
121 time-out; 122 the machine stopped (triple fault, unimplemented instruction, power-off, idle for
ever); 123 the guest could not be booted; 125 wrong usage or an error on the host; 130 Ctrl-C.

Examples:
  uchronia run -- ls -l
  uchronia run --seed 7 --stats -- ./racy-test
  uchronia run --save found.uch --timeout 60s -- python3 server_test.py
  echo 'select 6*7;' | uchronia run -- sqlite3
  uchronia run --share ~/data --env DEBUG=1 -- ./job ~/data/input)";

int run(const Options& options, const std::vector<std::string>& command) {
    Result<history::History> history = make_history(options.run, command, options.seed);
    if (!history)
        return fail(history.error(), kHostError);
    if (Status status = add_holds(options.holds, history->base.vcpu_count, history->tape); !status)
        return fail(status.error(), kHostError);
    say_if_engine_is_missing(options.run.engine);
    const CodeCache code;
    const Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image(history->base, options.run.engine, code.library());
    if (!base)
        return fail(base.error(), kBootFailed);

    const ForegroundOptions foreground{
        .session = {.live_input = history::LiveInput::kYes,
                    .expected = nullptr,
                    .engine = options.run.engine,
                    .library = code.library(),
                    .clock = options.report.statistics || options.report.json
                                 ? host::monotonic_nanoseconds
                                 : nullptr,
                    .perf_map = options.perf_map},
        .report = options.report,
        .console = options.verbose ? ConsoleUse::kShow : ConsoleUse::kDrop};
    const Result<ForegroundRun> done = run_in_foreground(**base, std::move(*history), foreground);
    if (!done)
        return fail(done.error(), kHostError);
    keep_as_last(done->history);
    if (!options.save.empty()) {
        if (Status status = history::save_history(done->history, options.save); !status)
            return fail(status.error(), kHostError);
    }
    return done->exit_status;
}

}  // namespace

Command add_run_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("run", "Runs a command in a fresh machine");
    auto options = std::make_shared<Options>();
    app->add_option("--seed", options->seed, "Chooses the history: schedule and random numbers")
        ->type_name("N")
        ->capture_default_str();
    add_run_options(*app, options->run);
    add_hold_option(*app, options->holds);
    app->add_option("--save", options->save, "Writes the history to this file, for replay")
        ->type_name("FILE");
    app->add_flag("--stats", options->report.statistics,
                  "Tells at the end, on standard error, how much was run, and the state's hash");
    app->add_flag("--json", options->report.json,
                  "The same as one line of JSON, the last one of standard error");
    app->add_flag("--verbose", options->verbose,
                  "Shows the guest's serial console and the agent's notes on standard error");
    app->add_flag(
        "--perf-map", options->perf_map,
        "Writes /tmp/perf-PID.map, from which the host's perf takes names for translated code");
    app->footer(kFooter);
    app->formatter(command_formatter());
    return {.app = app,
            .run = [options](const auto& command) { return run(*options, command); },
            .takes_command = true};
}

}  // namespace uchronia::cli
