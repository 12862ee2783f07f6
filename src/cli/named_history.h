// A saved history as a user names it: a file, or "last".
#pragma once

#include <optional>
#include <string>

#include "base/hash.h"
#include "base/result.h"
#include "history/history.h"

namespace uchronia::cli {

Result<history::History> load_named_history(const std::string& name);

// Of the file's bytes: what belongs to this history alone is named by it.
Result<Digest> digest_of_named_history(const std::string& name);

// Says on standard error that `file`, if there is one, is no longer as this history has it.
void say_if_changed(const std::optional<std::string>& file, const std::string& name);

}  // namespace uchronia::cli
