// Starts the command of a run as the user, with the environment and in the folder that it asks for.
#pragma once

#include <sys/types.h>

#include "guest/agent/output_pump.h"
#include "guest/run_description.h"

namespace uchronia::agent {

// Exit codes of a command that could not be started, as shells have them.
inline constexpr int kCannotExecute = 126;
inline constexpr int kNotFound = 127;

// Creates HOME and the working directory if the host's tree does not show them, then forks. What
// goes wrong in the child is told on its standard error and by the exit codes above.
pid_t start_command(const guest::RunDescription& run, const OutputPump& pump);

}  // namespace uchronia::agent
