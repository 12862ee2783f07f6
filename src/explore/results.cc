#include "explore/results.h"

#include <algorithm>

#include "base/state_io.h"

namespace uchronia::explore {
namespace {

Digest identity_of(const RunSummary& run) {
    SavingVisitor saving;
    history::Outcome outcome = run.outcome;
    Digest digest = run.output.digest;
    saving("kind", outcome.kind);
    saving("code", outcome.code);
    saving("detail", outcome.detail);
    saving("digest_low", digest.low);
    saving("digest_high", digest.high);
    return digest_of(saving.saved());
}

}  // namespace

void RunSummary::fields(FieldVisitor& v) {
    v("kind", outcome.kind);
    v("code", outcome.code);
    v("detail", outcome.detail);
    v("output", output);
    v("ticks", ticks);
    v("time", time);
}

bool Results::add(const RunSummary& run) {
    const u64 seed = first_seed_ + runs_;
    ++runs_;
    ticks_ += run.ticks;
    time_ += run.time;
    if (history::succeeded(run.outcome))
        ++passed_;
    else
        add_failure(run, seed);
    const Digest identity = identity_of(run);
    const auto known = known_.find(identity);
    if (known != known_.end()) {
        ++outcomes_[known->second].count;
        return false;
    }
    if (outcomes_.size() == kMostOutcomes) {
        ++others_;
        return false;
    }
    known_.emplace(identity, outcomes_.size());
    outcomes_.push_back({.first = run, .lowest_seed = seed, .count = 1});
    return true;
}

bool Results::is_new_failure(const history::Outcome& outcome) const {
    const std::string description = history::describe(outcome);
    return !history::succeeded(outcome) && failures_.size() < kMostFailures &&
           std::none_of(failures_.begin(), failures_.end(),
                        [&](const Failure& failure) { return failure.description == description; });
}

void Results::add_failure(const RunSummary& run, u64 seed) {
    const std::string description = history::describe(run.outcome);
    for (Failure& failure : failures_) {
        if (failure.description == description) {
            ++failure.count;
            return;
        }
    }
    if (failures_.size() < kMostFailures)
        failures_.push_back({.description = description,
                             .first = run,
                             .lowest_seed = seed,
                             .count = 1,
                             .history = std::nullopt});
}

}  // namespace uchronia::explore
