// What a finished run was like, for `--stats` (text) and `--json` (one line).
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "history/session.h"

namespace uchronia::cli {

struct ReportOptions {
    bool statistics = false;
    bool json = false;
};

// --stats and --json.
void add_report_options(CLI::App& app, ReportOptions& options);

// Writes what was asked for to standard error.
void report_run(history::Session& session, u64 host_nanoseconds, const ReportOptions& options);

}  // namespace uchronia::cli
