// Turns what the user asks for on the command line into a history that can be run.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "history/history.h"
#include "host/file_tree.h"
#include "machine/machine.h"

namespace uchronia::cli {

// The options that run and explore share.
struct RunOptions {
    std::string memory = "1G";
    std::string cpu = "v3";
    u32 cpus = 1;
    std::vector<std::string> environment;
    std::string timeout;
    std::vector<std::string> shares;
    std::string kernel;
    std::string disk;
    std::string image;
    std::optional<std::string> entrypoint;
    machine::Engine engine = machine::Engine::kTranslator;
};

void add_run_options(CLI::App& app, RunOptions& options);

// The history of the command as it would be run from here: everything but base image and input.
Result<history::History> make_history(const RunOptions& options,
                                      const std::vector<std::string>& command, u64 seed);

// The files of the host, or of an image, as the history sees them. What is no longer there is left
// out.
Result<std::unique_ptr<host::FileSource>> open_files(const history::FileView& view);

}  // namespace uchronia::cli
