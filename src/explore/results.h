// What came of the seeds of an exploration: the distinct outcomes, each with how often it came.
//
// Runs are added in the order of their seeds, so that the results depend on nothing but what the
// runs did: not on the number of threads, nor on where an exploration was interrupted.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "explore/output_summary.h"
#include "history/history.h"

namespace uchronia::explore {

// One run, as far as results need it.
struct RunSummary {
    history::Outcome outcome;
    OutputSummary output;
    Ticks ticks;
    VirtualTime time;

    void fields(FieldVisitor& v);
    bool operator==(const RunSummary&) const = default;
};

// Runs that ended in the same way with the same output.
struct DistinctOutcome {
    RunSummary first;  // the run of the lowest seed
    u64 lowest_seed = 0;
    u64 count = 0;
};

// Failures that describe() tells apart, whatever was written.
struct Failure {
    std::string description;
    RunSummary first;
    u64 lowest_seed = 0;
    u64 count = 0;
    std::optional<history::History> history;  // of the lowest seed; it may still be missing
};

class Results {
  public:
    // Bounds of memory. Runs with more outcomes than these are counted as others; failures of more
    // kinds have no history.
    static constexpr std::size_t kMostOutcomes = 4096, kMostFailures = 100;

    explicit Results(u64 first_seed) : first_seed_(first_seed) {}

    // The run of the next seed. False: an outcome that is known already, or that is not kept.
    bool add(const RunSummary& run);

    // Whether a run that ended so would be the first of its kind of failure.
    bool is_new_failure(const history::Outcome& outcome) const;

    u64 first_seed() const { return first_seed_; }
    u64 runs() const { return runs_; }
    u64 passed() const { return passed_; }
    u64 failed() const { return runs_ - passed_; }
    u64 others() const { return others_; }  // in no outcome of the list
    Ticks ticks() const { return ticks_; }
    VirtualTime time() const { return time_; }
    // In the order of their lowest seeds.
    const std::vector<DistinctOutcome>& outcomes() const { return outcomes_; }
    const std::vector<Failure>& failures() const { return failures_; }
    std::vector<Failure>& failures() { return failures_; }

  private:
    void add_failure(const RunSummary& run, u64 seed);

    u64 first_seed_;
    u64 runs_ = 0, passed_ = 0, others_ = 0;
    Ticks ticks_;
    VirtualTime time_;
    std::vector<DistinctOutcome> outcomes_;
    std::map<Digest, std::size_t> known_;  // indices into them
    std::vector<Failure> failures_;
};

}  // namespace uchronia::explore
