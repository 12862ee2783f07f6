// The exit statuses of uchronia itself (docs/commands.md has the table for users).
//
// A command's own status is passed on, so these lie where commands rarely have theirs; 124 is left
// free, as it is timeout(1)'s, and 126 and 127 are those of a shell (the agent gives them too).
#pragma once

#include "history/outcome.h"

namespace uchronia::cli {

enum ExitStatus : int {
    kSuccess = 0,
    kFindings = 1,  // explore: a history failed; replay --verify: not the same
    kKernelPanic = 120,
    kTimeout = 121,
    kMachineStopped = 122,  // triple fault, unimplemented instruction, power-off, idle for ever
    kBootFailed = 123,      // the base image or the agent
    kHostError = 125,       // usage, files, or anything else outside of the guest
    kSignalBase = 128,      // plus the signal's number, as in a shell
    kInterrupted = 130,     // Ctrl-C
    kOutputClosed = 141,    // as for a command that SIGPIPE killed
};

int exit_status_of(const history::Outcome& outcome);

}  // namespace uchronia::cli
