// uchronia branch: a saved history that goes on differently from a moment of it.

#include <memory>

#include "cli/branching.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/message.h"
#include "cli/out_option.h"
#include "cli/units.h"

namespace uchronia::cli {
namespace {

struct Options {
    BranchOptions branch;
    u64 seed = 0;
    std::string timeout;
    std::string out;
    bool verbose = false;
    ReportOptions report;
};

constexpr char kFooter[] = R"(
HISTORY is what 'run --save' or 'explore' wrote, or 'last'. Up to the moment the new history is the
same as that one; from there on the seed N decides: when threads are preempted, whose turn it is, and
the random numbers that are drawn. Holds after the moment are left out, and so is Ctrl-C; a time-out
stays unless there is another one. Standard input is what HISTORY has of it, and then it ends.

What the command writes after the moment is shown; 'replay' of the new history shows all. It is kept
as the last one, and as a file with --save.

Exit status: that of the command, as 'run' gives it; 125 if the history cannot go on from there.

Examples:
  uchronia branch found.uch --at 1.25s --seed 7
  uchronia branch last@#123456789 --seed 8 --save other.uch)";

int branch(const Options& options) {
    const Result<VirtualTime> timeout = parse_timeout(options.timeout);
    if (!timeout)
        return fail(timeout.error(), kHostError);
    const Result<std::unique_ptr<BranchPoint>> point = BranchPoint::open(options.branch);
    if (!point)
        return fail(point.error(), kHostError);
    const Result<std::unique_ptr<OutWriter>> out = reopen_out(options.out, (*point)->history());
    if (!out)
        return fail(out.error(), kHostError);
    ForegroundOptions foreground;
    foreground.report = options.report;
    foreground.console = options.verbose ? ConsoleUse::kShow : ConsoleUse::kDrop;
    foreground.out = out->get();
    const Result<ForegroundRun> done =
        (*point)->run(foreground, [&](history::Session& session, RunOutside&) {
            return session.branch(options.seed, *timeout);
        });
    if (!done)
        return fail(done.error(), kHostError);
    return keep_history(*done, options.branch.save, KeepAsLast::kYes);
}

}  // namespace

Command add_branch_command(CLI::App& parent) {
    CLI::App* app =
        parent.add_subcommand("branch", "Lets a history go on differently from a moment of it");
    auto options = std::make_shared<Options>();
    add_branch_options(*app, options->branch);
    app->add_option("--seed", options->seed, "Decides from the moment on")
        ->type_name("N")
        ->required();
    app->add_option("--save", options->branch.save, "Writes the new history to this file")
        ->type_name("FILE");
    app->add_option("--timeout", options->timeout,
                    "Ends it so much virtual time after the moment: 90s, 250ms, 2m; without, the "
                    "time-out of HISTORY stays")
        ->type_name("VIRTUAL");
    app->add_option("--out", options->out,
                    "Brings out into this folder what a history that was recorded with --out wrote")
        ->type_name("DIR");
    add_report_options(*app, options->report);
    app->add_flag("--verbose", options->verbose,
                  "Shows the guest's serial console and the agent's notes on standard error");
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto&) { return branch(*options); },
            .takes_command = false};
}

}  // namespace uchronia::cli
