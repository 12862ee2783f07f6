#include <gtest/gtest.h>

#include <algorithm>

#include "explore/explore.h"

namespace uchronia::explore {
namespace {

using history::History;
using history::Outcome;
using history::OutcomeKind;

History run_with(u64 seed, Outcome outcome) {
    History history;
    history.tape = history::Tape::from_seed(seed);
    history.result.emplace();
    history.result->outcome = std::move(outcome);
    return history;
}

Outcome outcome_of_seed(u64 seed) {
    if (seed % 7 == 3)
        return {OutcomeKind::kSignaled, 11, ""};
    if (seed % 5 == 4)
        return {OutcomeKind::kExited, 2, ""};
    if (seed == 11)
        return {OutcomeKind::kTimeout, 0, ""};
    return {OutcomeKind::kExited, 0, ""};
}

TEST(Findings, DoNotDependOnTheOrderOfRuns) {
    std::vector<u64> seeds(30);
    for (u64 i = 0; i < seeds.size(); ++i)
        seeds[i] = i;
    for (int rotation = 0; rotation < 30; ++rotation) {
        Findings findings;
        for (const u64 seed : seeds)
            findings.add(seed, run_with(seed, outcome_of_seed(seed)));
        EXPECT_EQ(findings.runs, 30u);
        ASSERT_EQ(findings.failures.size(), 3u);
        EXPECT_EQ(findings.failures[0].description, "signal 11 (SIGSEGV)");
        EXPECT_EQ(findings.failures[0].lowest_seed, 3u);
        EXPECT_EQ(findings.failures[0].count, 4u);
        EXPECT_EQ(findings.failures[1].description, "exit status 2");
        EXPECT_EQ(findings.failures[1].lowest_seed, 4u);
        EXPECT_EQ(findings.failures[2].description, "time-out");
        EXPECT_EQ(findings.failures[2].count, 1u);
        for (const Failure& failure : findings.failures)
            EXPECT_EQ(failure.history.tape.seed_at(Ticks(0)), failure.lowest_seed);
        EXPECT_EQ(findings.passed, 30u - 4u - findings.failures[1].count - 1u);
        std::rotate(seeds.begin(), seeds.begin() + 7, seeds.end());
    }
}

}  // namespace
}  // namespace uchronia::explore
