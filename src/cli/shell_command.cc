// uchronia shell: an interactive shell in the guest as it was at a moment of a saved history.

#include <cstdlib>
#include <memory>

#include "cli/branching.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/message.h"
#include "cli/units.h"
#include "cli/user_terminal.h"

namespace uchronia::cli {
namespace {

struct Options {
    BranchOptions branch;
    bool as_root = false;
};

constexpr char kFooter[] = R"(
HISTORY is what 'run --save' or 'explore' wrote, or 'last'. Without --at the shell opens at the
history's end. It runs beside what runs there, with the user, folder and environment of the history's
own command; time in the guest goes on at its usual pace, and with it all that runs there. What the
others write is not shown.

What is done there is a branch: another history, which is the same as HISTORY up to the moment. It is
kept as the last one, and as a file with --save; HISTORY stays as it is. 'uchronia replay last' shows
the session again, bit for bit, and what the others have written.

Ctrl-C is the guest's; Ctrl-], three times, leaves a guest that does not end the shell by itself.

A command after '--' is run in place of the shell (bash, else sh), on the terminal.

Exit status: that of the shell; 125 if the guest does not answer; 120 to 123 as for 'run'.

Examples:
  uchronia shell last
  uchronia shell found.uch --at 12.5s --save session.uch
  uchronia shell last --root -- top)";

const std::vector<std::string> kShell = {
    "/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash -i; fi; exec sh -i"};

int shell(const Options& options, const std::vector<std::string>& command) {
    if (Status status = UserTerminal::check(); !status)
        return fail(status.error(), kHostError);
    const Result<std::unique_ptr<BranchPoint>> point = BranchPoint::open(options.branch);
    if (!point)
        return fail(point.error(), kHostError);
    std::unique_ptr<UserTerminal> terminal;
    const char* kind = std::getenv("TERM");
    const VisitRequestOptions request{
        .as_root = options.as_root,
        .environment = {"TERM=" + std::string(kind == nullptr ? "dumb" : kind)}};
    ForegroundOptions foreground;
    foreground.end = [&] { terminal.reset(); };
    const Result<ForegroundRun> done =
        (*point)->run(foreground, [&](history::Session& session, RunOutside& outside) -> Status {
            say("at " + format_seconds(session.time().value) + ", tick " +
                format_count(session.ticks().value) +
                "; the session ends with the shell, or with Ctrl-] three times");
            outside.set_hearing(Hearing::kVisit);
            terminal = std::make_unique<UserTerminal>(outside.interrupt_descriptor(),
                                                      [&session] { session.interrupt(); });
            history::Visit visit =
                visit_of(session.history(), command.empty() ? kShell : command, request);
            visit.request.streams = machine::Streams::kTerminal;
            if (Status status =
                    session.visit(std::move(visit), kNever, {.terminal = terminal.get()});
                !status)
                return status;
            terminal->make_raw();
            return {};
        });
    terminal.reset();
    if (!done)
        return fail(done.error(), kHostError);
    return keep_history(*done, options.branch.save, KeepAsLast::kYes);
}

}  // namespace

Command add_shell_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand(
        "shell", "Opens a shell in the guest as it was at a moment of a history");
    auto options = std::make_shared<Options>();
    add_visit_options(*app, options->branch, options->as_root);
    app->footer(kFooter);
    return {.app = app,
            .run = [options](const auto& command) { return shell(*options, command); },
            .takes_command = true};
}

}  // namespace uchronia::cli
