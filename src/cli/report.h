// What a finished run was like, for `--stats` (text) and `--json` (one line).
#pragma once

#include <string>

#include "history/session.h"

namespace uchronia::cli {

struct ReportOptions {
    bool statistics = false;
    bool json = false;
};

// Writes what was asked for to standard error.
void report_run(history::Session& session, u64 host_nanoseconds, const ReportOptions& options);

}  // namespace uchronia::cli
