// uchronia help.

#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/message.h"

namespace uchronia::cli {
namespace {

int print_help(CLI::App& program, const std::string& name) {
    const auto subcommands =
        program.get_subcommands([&](const CLI::App* app) { return app->get_name() == name; });
    if (!name.empty() && subcommands.empty())
        return fail(Error{"there is no command '" + name + "'; 'uchronia help' lists them"},
                    kHostError);
    // Else the program's help would be that of the command that was parsed: this one.
    program.clear();
    const CLI::App& shown = name.empty() ? program : *subcommands.front();
    // What comes before its own name.
    std::fputs(shown.help(name.empty() ? "" : "uchronia").c_str(), stdout);
    return kSuccess;
}

}  // namespace

Command add_help_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("help", "Tells about a command");
    auto name = std::make_shared<std::string>();
    app->add_option("COMMAND", *name, "The command; without one, there is an overview");
    app->footer("\nExamples:\n  uchronia help\n  uchronia help run");
    return {.app = app,
            .run = [&parent, name](const auto&) { return print_help(parent, *name); },
            .takes_command = false};
}

}  // namespace uchronia::cli
