// The option --out of run, replay and branch: which folder of the guest comes out to where, and
// what is said of it at the end.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/out_writer.h"
#include "history/history.h"

namespace uchronia::cli {

struct OutOption {
    std::string guest_folder;  // as the user wrote it; empty: the working directory
    std::string host_folder;
};

// "DIR" or "GUESTDIR=DIR".
Result<OutOption> parse_out(const std::string& text);

// The guest's folder, absolute, for a command in `working_directory`.
std::string out_folder_of(const OutOption& option, const std::string& working_directory);

// What comes out of a recorded history goes to `folder`; null if that is empty. Errors: nothing
// comes out of this history.
Result<std::unique_ptr<OutWriter>> reopen_out(const std::string& folder,
                                              const history::History& history);

// Says on standard error what came out. Gives false if it is not all.
bool say_what_came_out(const OutWriter& writer);

}  // namespace uchronia::cli
