// The guest's clock, for waits of the agent.
#pragma once

#include <time.h>

namespace uchronia::agent {

// How long, after a command's end, output of processes that it left behind is waited for.
inline constexpr int kGraceMilliseconds = 20;

inline long milliseconds_now() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

}  // namespace uchronia::agent
