// The program: splits the command line at "--", parses what is before it, runs the command.

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <csignal>
#include <new>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/message.h"

namespace uchronia::cli {
namespace {

constexpr char kAbout[] =
    "Runs Linux software in a computer of its own in which everything that happens is decided by a "
    "seed: the same seed gives the same run, bit for bit.";
constexpr char kFooter[] = R"(
Examples:
  uchronia run -- ls -l                            a command in a fresh machine
  uchronia run --seed 7 --stats -- ./test          another history of it, and its hash
  uchronia explore --seeds 100 -- ./test           does it fail under any of 100 seeds?
  uchronia replay --verify FILE                    the same history again, compared bit for bit
  uchronia perf last                               where the ticks of the latest run went
  uchronia log last --grep error                   what was said in it, and at which moments
  uchronia exec last@1.5s -- ps aux                a command in the guest as it was then
  uchronia diff good.uch bad.uch                   the first moment at which two histories differ
  uchronia doctor                                  can this host run it, and is all installed?
  uchronia export last FILE                        it and all that it needs, for someone else
  uchronia help run                                all about one command

The cache (booted machines, the last history) is in $UCHRONIA_CACHE, else $XDG_CACHE_HOME/uchronia,
else ~/.cache/uchronia; it can be deleted at any time.)";

class CommandFormatter final : public CLI::Formatter {
  public:
    std::string make_usage(const CLI::App* app, std::string name) const override {
        std::string usage = CLI::Formatter::make_usage(app, std::move(name));
        usage.erase(usage.find_last_not_of('\n') + 1);
        return usage + " -- COMMAND [ARGUMENTS]...\n\n";
    }
};

// The code of this program and of the guest's instructions that run natively needs these.
Status check_processor() {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") &&
        __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul"))
        return {};
    return Error{"this processor is too old: SSE4.2, POPCNT, AES and PCLMULQDQ are needed"};
}

int run_parsed(const std::vector<Command>& commands, const std::vector<std::string>& after,
               bool has_dashes) {
    for (const Command& command : commands) {
        if (!command.app->parsed())
            continue;
        if (has_dashes && !command.takes_command)
            return fail(Error{"'" + command.app->get_name() + "' takes nothing after '--'"},
                        kHostError);
        return command.run(after);
    }
    return kHostError;
}

int parse_and_run(std::vector<std::string> arguments) {
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    const bool has_dashes = dashes != arguments.end();
    std::vector<std::string> after;
    if (has_dashes)
        after.assign(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());

    CLI::App program(kAbout, "uchronia");
    program.require_subcommand(1);
    program.footer(kFooter);
    program.set_help_flag("-h,--help", "Tells about this command");
    const std::vector<Command> commands{
        add_run_command(program),    add_replay_command(program), add_explore_command(program),
        add_perf_command(program),   add_diff_command(program),   add_export_command(program),
        add_import_command(program), add_show_command(program),   add_image_command(program),
        add_debug_command(program),  add_log_command(program),    add_branch_command(program),
        add_exec_command(program),   add_shell_command(program),  add_files_command(program),
        add_cache_command(program),  add_doctor_command(program), add_help_command(program),
        add_version_command(program)};
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    try {
        program.parse(std::move(arguments));
    } catch (const CLI::Success& help) {
        return program.exit(help);
    } catch (const CLI::ParseError& error) {
        const auto parsed = program.get_subcommands();
        const std::string name = parsed.empty() ? "" : " " + parsed.front()->get_name();
        std::string message =
            std::string(error.what()) + "\n'uchronia" + name + " --help' tells how it is used.";
        if (!has_dashes && (name == " run" || name == " explore" || name == " exec"))
            message += " The command to run comes after '--'.";
        return fail(Error{message}, kHostError);
    }
    return run_parsed(commands, after, has_dashes);
}

}  // namespace

std::shared_ptr<CLI::FormatterBase> command_formatter() {
    return std::make_shared<CommandFormatter>();
}

int run_program(int argument_count, const char* const* arguments) {
    std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(2)
    if (Status status = check_processor(); !status)
        return fail(status.error(), kHostError);
    try {
        return parse_and_run(std::vector<std::string>(arguments + std::min(1, argument_count),
                                                      arguments + argument_count));
    } catch (const std::bad_alloc&) {
        return fail(Error{"the host has not enough memory; try a smaller --memory"}, kHostError);
    }
}

}  // namespace uchronia::cli
