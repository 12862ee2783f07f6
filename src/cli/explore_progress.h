// How far an exploration is: on a terminal one line that is written over, else a plain line now and
// then; and each new failure as it is found.
#pragma once

#include <set>
#include <string>

#include "base/types.h"
#include "explore/explore.h"

namespace uchronia::cli {

class ExploreProgress {
  public:
    explicit ExploreProgress(u64 seed_count);

    void update(const explore::Findings& findings);
    // Clears the line.
    void finish();

  private:
    void show_new(const explore::Findings& findings);
    std::string status_line(const explore::Findings& findings, u64 elapsed) const;

    const u64 seed_count_;
    const bool on_terminal_;
    const u64 begin_;
    u64 last_shown_;
    std::set<std::string> shown_;  // descriptions of failures
};

}  // namespace uchronia::cli
