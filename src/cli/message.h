// Messages for the user: lines on standard error that begin with "uchronia: ".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace uchronia::cli {

// Each line of the text gets the prefix.
void say(std::string_view text);

// For use in commands: shows the error, and gives the exit status back.
int fail(const Error& error, int exit_status);

// What steers a terminal, and what is not UTF-8, as \xNN; but for what is to be kept.
std::string printable(std::string_view text, std::string_view kept = "");

// Whether a person watches standard error.
bool errors_go_to_terminal();

}  // namespace uchronia::cli
