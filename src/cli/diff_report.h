// What 'uchronia diff' found, for a person or as JSON.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/configuration_difference.h"
#include "history/first_difference.h"

namespace uchronia::cli {

struct DiffReport {
    std::string name_a, name_b;  // as the user named the histories
    std::vector<history::ConfigurationDifference> configuration;
    // False: they start from different machines, which is all there is to say.
    bool states_compared = false;
    std::optional<history::FirstDifference> first;
    // All from here on of that moment.
    history::StateDifference state;
    std::string next_a, next_b;  // the instruction after the last equal state
    std::string end_a, end_b;    // how they ended; empty: they go on
    u64 time_a = 0, time_b = 0;  // virtual nanoseconds from the run's start
    std::map<u64, std::string> page_names_a, page_names_b;  // by page number, of some pages
    u64 common_ticks = 0;                                   // if there is no difference: of all
};

std::string diff_text(const DiffReport& report);
std::string diff_json(const DiffReport& report);

}  // namespace uchronia::cli
