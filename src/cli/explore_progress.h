// How far an exploration is, for a person: on a terminal one line that is written over, and each
// new failure as it is found; nothing else. At the end, what it took.
#pragma once

#include <string>

#include "explore/explore.h"

namespace uchronia::cli {

class ExploreProgress {
  public:
    ExploreProgress();

    void update(const explore::Results& results, const explore::Pace& pace);
    // Clears the line, and says the rate.
    void finish(const explore::Pace& pace);

    double seconds() const;

  private:
    void show_new(const explore::Results& results);

    const bool on_terminal_;
    const u64 begin_;  // host nanoseconds
    u64 last_shown_;
    std::size_t failures_shown_ = 0;
};

// "12.3 per second, 45.6 virtual seconds per second".
std::string describe_rate(const explore::Pace& pace, double seconds);

}  // namespace uchronia::cli
