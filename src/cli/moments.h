// Moments as people write them: "12.345s", "#123456789" (ticks), "end"; "HISTORY@MOMENT".
#pragma once

#include <string>

#include "base/result.h"
#include "history/moment.h"

namespace uchronia::cli {

Result<history::Moment> parse_moment(const std::string& text);

// A history as a user names it, with or without a moment of it. A file whose own name has an "@" is
// taken for that file.
struct NamedMoment {
    std::string history;
    history::Moment moment = history::Moment::end();
};
// `at`: what the user gave as --at, or empty. Errors: two moments, or one that cannot be read.
Result<NamedMoment> named_moment(const std::string& history, const std::string& at);

}  // namespace uchronia::cli
