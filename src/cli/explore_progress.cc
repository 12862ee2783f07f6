#include "cli/explore_progress.h"

#include <cstdio>

#include "cli/message.h"
#include "cli/units.h"
#include "host/clock.h"

namespace uchronia::cli {
namespace {

// Between two lines, host time.
constexpr u64 kInterval = 100'000'000;

std::string decimal(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", number);
    return text;
}

std::string status_line(const explore::Results& results, const explore::Pace& pace,
                        double seconds) {
    const double left =
        seconds * static_cast<double>(pace.seeds_left) / static_cast<double>(pace.runs);
    return std::to_string(pace.seeds_left) + " seeds left, " + std::to_string(results.failed()) +
           " failed, " + std::to_string(results.outcomes().size()) + " distinct outcomes, " +
           describe_rate(pace, seconds) + ", about " +
           format_rough_duration(static_cast<u64>(left * 1e9)) + " left";
}

}  // namespace

std::string describe_rate(const explore::Pace& pace, double seconds) {
    if (seconds <= 0)
        return "0 per second";
    return decimal(static_cast<double>(pace.runs) / seconds) + " per second, " +
           decimal(static_cast<double>(pace.time.value) / 1e9 / seconds) +
           " virtual seconds per second";
}

ExploreProgress::ExploreProgress()
    : on_terminal_(errors_go_to_terminal()),
      begin_(host::monotonic_nanoseconds()),
      last_shown_(begin_) {}

double ExploreProgress::seconds() const {
    return static_cast<double>(host::monotonic_nanoseconds() - begin_) / 1e9;
}

void ExploreProgress::show_new(const explore::Results& results) {
    for (; failures_shown_ < results.failures().size(); ++failures_shown_) {
        const explore::Failure& failure = results.failures()[failures_shown_];
        std::fputs("\r\x1b[K", stderr);
        say("found with seed " + std::to_string(failure.lowest_seed) + ": " + failure.description);
    }
}

void ExploreProgress::update(const explore::Results& results, const explore::Pace& pace) {
    if (!on_terminal_)
        return;
    show_new(results);
    const u64 now = host::monotonic_nanoseconds();
    if (now - last_shown_ < kInterval)
        return;
    last_shown_ = now;
    std::fprintf(stderr, "\r\x1b[K%s", status_line(results, pace, seconds()).c_str());
    std::fflush(stderr);
}

void ExploreProgress::finish(const explore::Pace& pace) {
    if (on_terminal_)
        std::fputs("\r\x1b[K", stderr);
    if (pace.runs != 0)
        say(std::to_string(pace.runs) + (pace.runs == 1 ? " run in " : " runs in ") +
            decimal(seconds()) + " s: " + describe_rate(pace, seconds()));
}

}  // namespace uchronia::cli
