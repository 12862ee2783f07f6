// uchronia exec: one command in the guest as it was at a moment of a saved history.

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/branching.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/message.h"
#include "cli/units.h"

namespace uchronia::cli {
namespace {

using JSON = nlohmann::ordered_json;

struct Options {
    BranchOptions branch;
    std::string timeout;
    bool as_root = false;
    bool json = false;
};

constexpr char kFooter[] = R"(
HISTORY is what 'run --save' or 'explore' wrote, or 'last'. Without --at the command runs at the
history's end. It runs beside what runs there, with the user, folder and environment of the history's
own command, and all goes on while it runs. What the others write meanwhile is not shown. HISTORY
stays as it is; with --save the branch is kept, and 'replay' of that file gives the same, bit for bit.

The command gets standard input if that is not a terminal. Files of the host that the history has not
read are those of today.

At the end of a history whose command has ended, the guest is as the command has left it. Where its
kernel has panicked, nothing can run any more: name a moment before that.

Exit status: the command's own (126 and 127 as in a shell, 128+N if signal N killed it), 121 time-out,
125 also if the guest does not answer. 120 to 123 and 130 as for 'run'.

Examples:
  uchronia exec last -- ps aux
  uchronia exec found.uch --at 12.5s -- sh -c 'cat /proc/meminfo; ls -l /tmp'
  uchronia exec last@#123456789 --root --json -- ss -tnp)";

// The standard input of the process, for the command.
class PassedInput final : public history::VisitCalls::Input {
  public:
    explicit PassedInput(RunOutside& outside) : outside_(outside) {}
    u64 visit_input(u64 offset, std::span<u8> bytes) override {
        return outside_.input(offset, bytes);
    }

  private:
    RunOutside& outside_;
};

struct Kept {
    std::string output, errors;
    Ticks tick;
    VirtualTime time;
};

void print_json(const ForegroundRun& done, const Kept& kept) {
    const history::RunResult& result = *done.history.result;
    const JSON json = {
        {"at", {{"tick", kept.tick.value}, {"virtual_nanoseconds", kept.time.value}}},
        {"outcome", history::describe(result.outcome)},
        {"exit_status", done.exit_status},
        {"output", kept.output},
        {"errors", kept.errors},
        {"ticks", result.ticks.value - kept.tick.value},
        {"virtual_nanoseconds", result.time.value - kept.time.value},
        {"state_hash", to_hex(result.state)}};
    std::puts(json.dump(2, ' ', false, JSON::error_handler_t::replace).c_str());
}

int exec(const Options& options, const std::vector<std::string>& command) {
    if (command.empty())
        return fail(Error{"there is no command to run; name one after '--', like: -- ps aux"},
                    kHostError);
    const Result<VirtualTime> timeout = parse_timeout(options.timeout);
    if (!timeout)
        return fail(timeout.error(), kHostError);
    const Result<std::unique_ptr<BranchPoint>> point = BranchPoint::open(options.branch);
    if (!point)
        return fail(point.error(), kHostError);
    Kept kept;
    std::unique_ptr<PassedInput> input;
    const Result<ForegroundRun> done =
        (*point)->run({}, [&](history::Session& session, RunOutside& outside) {
            kept.tick = session.ticks();
            kept.time = session.time();
            outside.set_hearing(Hearing::kVisit);
            if (options.json)
                outside.keep_visit_output(&kept.output, &kept.errors);
            input = std::make_unique<PassedInput>(outside);
            history::Visit visit =
                visit_of(session.history(), command, {.as_root = options.as_root});
            visit.request.input = standard_input_kind();
            return session.visit(std::move(visit), *timeout, {.input = input.get()});
        });
    if (!done)
        return fail(done.error(), kHostError);
    if (done->begun && options.json)
        print_json(*done, kept);
    return keep_history(*done, options.branch.save, KeepAsLast::kNo);
}

}  // namespace

Command add_exec_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand(
        "exec", "Runs a command in the guest as it was at a moment of a history");
    auto options = std::make_shared<Options>();
    add_visit_options(*app, options->branch, options->as_root);
    app->add_option("--timeout", options->timeout,
                    "Ends the command after this much virtual time: 90s, 250ms, 2m")
        ->type_name("VIRTUAL");
    app->add_flag("--json", options->json, "Output, exit status and moment as JSON");
    app->footer(kFooter);
    app->formatter(command_formatter());
    return {.app = app,
            .run = [options](const auto& command) { return exec(*options, command); },
            .takes_command = true};
}

}  // namespace uchronia::cli
