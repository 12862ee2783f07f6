#include "cli/explore_progress.h"

#include <cstdio>

#include "cli/message.h"
#include "cli/units.h"
#include "host/clock.h"

namespace uchronia::cli {
namespace {

// Between two lines, host time.
constexpr u64 kTerminalInterval = 100'000'000;
constexpr u64 kPlainInterval = 10'000'000'000;

}  // namespace

ExploreProgress::ExploreProgress(u64 seed_count)
    : seed_count_(seed_count),
      on_terminal_(errors_go_to_terminal()),
      begin_(host::monotonic_nanoseconds()),
      last_shown_(begin_) {}

std::string ExploreProgress::status_line(const explore::Findings& findings, u64 elapsed) const {
    const double per_second =
        elapsed == 0 ? 0 : static_cast<double>(findings.runs) * 1e9 / static_cast<double>(elapsed);
    char rate[32];
    std::snprintf(rate, sizeof rate, "%.1f", per_second);
    const u64 left = elapsed / findings.runs * (seed_count_ - findings.runs);
    return std::to_string(findings.runs) + " of " + std::to_string(seed_count_) + " seeds, " +
           std::to_string(findings.runs - findings.passed) + " failed, " + rate +
           " per second, about " + format_rough_duration(left) + " left";
}

void ExploreProgress::show_new(const explore::Findings& findings) {
    for (const explore::Failure& failure : findings.failures) {
        if (!shown_.insert(failure.description).second)
            continue;
        finish();
        say("found with seed " + std::to_string(failure.lowest_seed) + ": " + failure.description);
    }
}

void ExploreProgress::update(const explore::Findings& findings) {
    const u64 now = host::monotonic_nanoseconds();
    show_new(findings);
    if (now - last_shown_ < (on_terminal_ ? kTerminalInterval : kPlainInterval))
        return;
    last_shown_ = now;
    const std::string line = status_line(findings, now - begin_);
    if (!on_terminal_)
        return say(line);
    std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
    std::fflush(stderr);
}

void ExploreProgress::finish() {
    if (on_terminal_)
        std::fputs("\r\x1b[K", stderr);
}

}  // namespace uchronia::cli
