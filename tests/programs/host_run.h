// Commands on the host: the guest's, with Linux as a witness, and Uchronia's own.
#pragma once

#include <string>

namespace uchronia::tests {

struct HostResult {
    std::string output;  // standard output
    int exit_status = -1;
};

// Runs a command of the shell with the test's environment.
HostResult run_command(const std::string& command);

// Runs `sh -c script` in `folder` with the guest's environment.
HostResult run_on_host(const std::string& script, const std::string& folder);

}  // namespace uchronia::tests
