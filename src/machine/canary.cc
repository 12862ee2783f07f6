// The only place that knows of the canary build; see canary.h.
#include "machine/canary.h"

#ifdef UCHRONIA_CANARY
#include <time.h>
#endif

namespace uchronia::machine {

u64 with_canary(u64 entropy_word) {
#ifdef UCHRONIA_CANARY
    timespec host_time{};
    clock_gettime(CLOCK_MONOTONIC, &host_time);
    return entropy_word ^ (static_cast<u64>(host_time.tv_nsec) & 0xff);
#else
    return entropy_word;
#endif
}

}  // namespace uchronia::machine
