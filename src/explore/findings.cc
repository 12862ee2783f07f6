// Sorts the runs of an exploration into distinct failures (explore.h).
#include <algorithm>

#include "explore/explore.h"

namespace uchronia::explore {

void Findings::add(u64 seed, const history::History& run) {
    ++runs;
    const history::Outcome& outcome = run.result->outcome;
    if (history::succeeded(outcome)) {
        ++passed;
        return;
    }
    const std::string description = history::describe(outcome);
    auto known = std::find_if(failures.begin(), failures.end(), [&](const Failure& failure) {
        return failure.description == description;
    });
    if (known == failures.end())
        known = failures.insert(known, {description, 0, seed, run});
    ++known->count;
    if (seed < known->lowest_seed) {
        known->lowest_seed = seed;
        known->history = run;
    }
    std::sort(failures.begin(), failures.end(),
              [](const Failure& a, const Failure& b) { return a.lowest_seed < b.lowest_seed; });
}

}  // namespace uchronia::explore
