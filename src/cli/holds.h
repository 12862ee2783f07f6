// Holds as a user writes them: "1@#123456+5ms" is CPU 1, from tick 123456 of the run on, for 5 ms
// of virtual time.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "history/tape.h"

namespace uchronia::cli {

void add_hold_option(CLI::App& app, std::vector<std::string>& holds);

Result<history::Hold> parse_hold(const std::string& text);
std::string format_hold(const history::Hold& hold);

// Adds them to a tape for a machine with so many CPUs.
Status add_holds(const std::vector<std::string>& holds, u32 vcpu_count, history::Tape& tape);

}  // namespace uchronia::cli
