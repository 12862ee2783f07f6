// The commands of the program, one file each. A function adds its command to the parser and to the
// list; a command then runs with what the user wrote after "--".
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace uchronia::cli {

struct Command {
    CLI::App* app = nullptr;
    std::function<int(const std::vector<std::string>& after_dashes)> run;
    bool takes_command = false;  // whether there may be something after "--"
};

Command add_run_command(CLI::App& parent);
Command add_replay_command(CLI::App& parent);
Command add_explore_command(CLI::App& parent);
Command add_perf_command(CLI::App& parent);
Command add_debug_command(CLI::App& parent);
Command add_diff_command(CLI::App& parent);
Command add_cache_command(CLI::App& parent);
Command add_doctor_command(CLI::App& parent);
Command add_export_command(CLI::App& parent);
Command add_import_command(CLI::App& parent);
Command add_log_command(CLI::App& parent);
Command add_branch_command(CLI::App& parent);
Command add_exec_command(CLI::App& parent);
Command add_shell_command(CLI::App& parent);
Command add_files_command(CLI::App& parent);
Command add_show_command(CLI::App& parent);
Command add_image_command(CLI::App& parent);
Command add_version_command(CLI::App& parent);
Command add_help_command(CLI::App& parent);

// For commands with something after "--": their usage line says so.
std::shared_ptr<CLI::FormatterBase> command_formatter();

// The whole program.
int run_program(int argument_count, const char* const* arguments);

}  // namespace uchronia::cli
