// Runs one session in the foreground: output passes through, Ctrl-C stops it.
#pragma once

#include <functional>
#include <string>

#include "cli/report.h"
#include "cli/run_outside.h"
#include "history/session.h"

namespace uchronia::cli {

struct ForegroundOptions {
    history::SessionOptions session;
    ReportOptions report;
    ConsoleUse console = ConsoleUse::kDrop;
    OutWriter* out = nullptr;  // of the files that come out; null: they are dropped
    // Goes to where the run begins and says how it goes on. Null: from its start, as it is.
    std::function<Status(history::Session&, RunOutside&)> begin = {};
    // Called when the guest has said all, before anything is said about its run. Null: nothing.
    std::function<void()> end = {};
};

struct ForegroundRun {
    history::History history;  // with its result
    std::optional<history::Divergence> divergence;
    std::optional<std::string> changed_file;
    int exit_status = 0;
    bool begun = true;  // else it was interrupted in options.begin, and there is only exit_status
};

// Says on standard error how the run ended, if the command did not end it.
Result<ForegroundRun> run_in_foreground(const machine::BaseImage& base, history::History history,
                                        const ForegroundOptions& options);

// The history of every run is kept as the last one; that this fails is no failure of the run.
void keep_as_last(const history::History& history);

enum class KeepAsLast : u8 { kNo, kYes };
// Keeps a history that is not the recorded one, also as a file if `save` is not empty. The
// command's exit status.
int keep_history(const ForegroundRun& done, const std::string& save, KeepAsLast keep);

}  // namespace uchronia::cli
