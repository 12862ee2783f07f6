// Chasing a linked list in random order, a load that depends on the one before. list_small.c and
// list_large.c say how long it is.
#pragma once

#include "measure.h"

#include <stdlib.h>

struct Node {
    struct Node* next;
    uint64_t value;
    uint64_t padding[6];  // one cache line
};

// One cycle through `count` nodes in random order (Sattolo's shuffle).
static inline struct Node* make_cycle(size_t count) {
    struct Node* nodes = malloc(count * sizeof *nodes);
    uint32_t* order = malloc(count * sizeof *order);
    uint64_t state = 3;
    for (size_t i = 0; i < count; ++i)
        order[i] = (uint32_t)i;
    for (size_t i = count - 1; i > 0; --i) {
        const size_t j = next_random(&state) % i;
        const uint32_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
    for (size_t i = 0; i < count; ++i) {
        nodes[order[i]].next = &nodes[order[(i + 1) % count]];
        nodes[order[i]].value = i;
    }
    free(order);
    return nodes;
}

static inline uint64_t chase(const struct Node* node, size_t steps) {
    uint64_t sum = 0;
    for (size_t i = 0; i < steps; ++i) {
        sum += node->value;
        node = node->next;
    }
    return sum;
}
