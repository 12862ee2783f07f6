// uchronia version.

#include <cstdio>

#include "cli/commands.h"
#include "cli/exit_status.h"

namespace uchronia::cli {
namespace {

int print_version() {
    std::printf("uchronia %s\n", UCHRONIA_VERSION_TEXT);
    return kSuccess;
}

}  // namespace

Command add_version_command(CLI::App& parent) {
    CLI::App* app = parent.add_subcommand("version", "Tells the version of this program");
    app->footer("\nExample:\n  uchronia version");
    return {.app = app, .run = [](const auto&) { return print_version(); }, .takes_command = false};
}

}  // namespace uchronia::cli
