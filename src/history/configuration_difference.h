// In which parts of their configuration two histories differ: keys of the configuration's JSON
// (docs/format-history.md), standard input, and the recorded answers about the host's files.
#pragma once

#include <string>
#include <vector>

#include "history/history.h"

namespace uchronia::history {

struct ConfigurationDifference {
    std::string part;  // "base.memory_size", "request.arguments.2", "input", "file /usr/bin/sh"
    std::string a, b;
};

// What came of the histories is not compared.
std::vector<ConfigurationDifference> configuration_differences(const History& a, const History& b);

}  // namespace uchronia::history
