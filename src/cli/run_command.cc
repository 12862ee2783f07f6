// uchronia run: a command in a fresh machine.

#include <cerrno>
#include <memory>

#include "cli/cache.h"
#include "cli/code_cache.h"
#include "cli/commands.h"
#include "cli/engine_option.h"
#include "cli/exit_status.h"
#include "cli/holds.h"
#include "cli/message.h"
#include "cli/out_option.h"
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
    std::string out;
    ReportOptions report;
    bool verbose = false;
    bool perf_map = false;
};

constexpr char kFooter[] = R"(
The command sees this working directory, the installed software and its arguments and standard
input as on the host; the host's files are read-only, and what it writes vanishes with the machine,
but for what --out brings out. With --image it sees the files of the image and nothing of the host.
It has a small fixed environment, to which --env adds. The same seed always gives the same run.

Exit status: the command's own (128+N if signal N killed it); 120 the guest's kernel panicked;
121 time-out; 122 the machine stopped (triple fault, unimplemented instruction, power-off, idle for
ever); 123 the guest could not be booted; 125 wrong usage or an error on the host; 130 Ctrl-C.

Examples:
  uchronia run -- ls -l
  uchronia run --seed 7 --stats -- ./racy-test
  uchronia run --save found.uch --timeout 60s -- python3 server_test.py
  echo 'select 6*7;' | uchronia run -- sqlite3
  uchronia run --out built -- make
  uchronia run --image alpine.tar -- /bin/sh -c 'cat /etc/os-release'
  uchronia run --share ~/data --env DEBUG=1 -- ./job ~/data/input)";

// Contents that were damaged, or removed while it ran; the guest has seen an error.
void say_what_the_image_lacks(const history::History& history) {
    if (!history.files.has_image())
        return;
    for (const auto& [question, answer] : history.record.blocks) {
        if (answer.error != EIO)
            continue;
        say("the contents of " + question.path + " in the image " + history.files.image_name +
            " are damaged or gone, and the guest could not read them; build the image again "
            "('uchronia image build')");
        return;
    }
}

// Null if nothing is to come out.
Result<std::unique_ptr<OutWriter>> prepare_out(const std::string& text, history::History& history) {
    if (text.empty())
        return std::unique_ptr<OutWriter>();
    const Result<OutOption> option = parse_out(text);
    if (!option)
        return option.error();
    history.request.out_folder = out_folder_of(*option, history.request.working_directory);
    return OutWriter::create(option->host_folder);
}

int run(const Options& options, const std::vector<std::string>& command) {
    Result<history::History> history = make_history(options.run, command, options.seed);
    if (!history)
        return fail(history.error(), kHostError);
    if (Status status = add_holds(options.holds, history->base.vcpu_count, history->tape); !status)
        return fail(status.error(), kHostError);
    const Result<std::unique_ptr<OutWriter>> out = prepare_out(options.out, *history);
    if (!out)
        return fail(out.error(), kHostError);
    say_if_engine_is_missing(options.run.engine);
    const CodeCache code;
    const Result<std::unique_ptr<machine::BaseImage>> base =
        obtain_base_image(history->base, options.run.engine, code.library());
    if (!base)
        return fail(base.error(), kBootFailed);

    ForegroundOptions foreground;
    foreground.session.live_input = history::LiveInput::kYes;
    foreground.session.engine = options.run.engine;
    foreground.session.library = code.library();
    if (options.report.statistics)
        foreground.session.clock = host::monotonic_nanoseconds;
    foreground.session.perf_map = options.perf_map;
    foreground.report = options.report;
    foreground.console = options.verbose ? ConsoleUse::kShow : ConsoleUse::kDrop;
    foreground.out = out->get();
    const Result<ForegroundRun> done = run_in_foreground(**base, std::move(*history), foreground);
    if (!done)
        return fail(done.error(), kHostError);
    keep_as_last(done->history);
    say_what_the_image_lacks(done->history);
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
    app->add_option("--out", options->out,
                    "Brings out what the command has written in its working directory, or in "
                    "GUESTDIR, into this folder")
        ->type_name("[GUESTDIR=]DIR");
    add_report_options(*app, options->report);
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
