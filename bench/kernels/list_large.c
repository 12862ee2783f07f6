// A linked list in memory, beyond all caches: 128 MiB.
#include "list_chase.h"

// Fewer steps would stay in the caches, as each run takes the same way.
enum { kFewestSteps = 400000 };

static struct Node* first;
static size_t steps;

uint64_t prepare(double scale) {
    first = make_cycle((size_t)1 << 21);
    steps = scaled(1e6, scale);
    if (steps < kFewestSteps)
        steps = kFewestSteps;
    return 1;
}

uint64_t run(void) {
    return chase(first, steps);
}
