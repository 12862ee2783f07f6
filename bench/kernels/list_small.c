// A linked list in the first-level cache: 16 KiB.
#include "list_chase.h"

static struct Node* first;
static size_t steps;

uint64_t prepare(double scale) {
    first = make_cycle(256);
    steps = scaled(120e6, scale);
    return 1;
}

uint64_t run(void) {
    return chase(first, steps);
}
