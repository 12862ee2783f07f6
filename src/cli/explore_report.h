// What an exploration found, for a person and as JSON. Neither depends on where and how fast it was
// made, but for what the JSON has under "host".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "explore/results.h"

namespace uchronia::cli {

// The histories that were saved, by the seed.
using SavedHistories = std::map<u64, std::string>;

// For each outcome the line of its output that tells it apart from the others: the first one after
// what it shares with any of them. Without what is not for terminals, and not too long.
std::vector<std::string> telling_lines(const std::vector<explore::DistinctOutcome>& outcomes);

// At most `row_count` outcomes: failures first.
std::string explore_text(const explore::Results& results, const SavedHistories& saved,
                         std::size_t row_count);

// Of this process, not of the results.
struct HostMeasurements {
    u64 runs = 0;
    double seconds = 0;
    double virtual_seconds = 0;
};

std::string explore_json(const explore::Results& results, const SavedHistories& saved,
                         const std::vector<std::string>& command, bool interrupted,
                         const HostMeasurements& host);

}  // namespace uchronia::cli
