// The same command on the host: Linux as a witness.
#pragma once

#include <string>

namespace uchronia::tests {

struct HostResult {
    std::string output;  // standard output
    int exit_status = -1;
};

// Runs `sh -c script` in `folder` with the guest's environment.
HostResult run_on_host(const std::string& script, const std::string& folder);

}  // namespace uchronia::tests
