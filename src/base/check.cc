#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace uchronia {
namespace {

struct CheckContext {
    unsigned long long seed = 0;
    const unsigned long long* ticks = nullptr;
};

// One world is one thread at a time, so what a thread runs is a property of the thread.
thread_local CheckContext context;

}  // namespace

void set_check_context(unsigned long long seed, const unsigned long long* ticks) {
    context = {seed, ticks};
}

void check_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "uchronia: broken invariant: %s (%s:%d)\n", condition, file, line);
    if (context.ticks != nullptr) {
        std::fprintf(stderr, "uchronia: in the history with seed %llu, at tick %llu\n",
                     context.seed, *context.ticks);
    }
    std::fprintf(stderr, "uchronia: this is a bug in Uchronia; please report it with this text\n");
    std::abort();
}

}  // namespace uchronia
