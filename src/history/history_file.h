// A history as a file: docs/format-history.md.
//
// A file that is truncated, damaged, foreign or of a newer version gives an Error that names it,
// says what is wrong and what to do. Writing is atomic.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "history/history.h"

namespace uchronia::history {

Result<History> load_history(const std::string& path);
Status save_history(const History& history, const std::string& path);

// The same on bytes; `name` is for messages.
Result<History> parse_history(std::span<const u8> file, const std::string& name);
std::vector<u8> serialise_history(const History& history);

}  // namespace uchronia::history
