// A binary search tree: insertions of random keys with malloc, then walks and look-ups.
#include "measure.h"

#include <stdlib.h>

struct Branch {
    struct Branch* child[2];
    uint64_t key;
};

static size_t count;

static void insert(struct Branch** place, uint64_t key) {
    while (*place != NULL)
        place = &(*place)->child[key > (*place)->key];
    *place = calloc(1, sizeof **place);
    (*place)->key = key;
}

static uint64_t depth_of(const struct Branch* branch, uint64_t key) {
    uint64_t depth = 0;
    for (; branch != NULL && branch->key != key; ++depth)
        branch = branch->child[key > branch->key];
    return depth;
}

static uint64_t take_down(struct Branch* branch) {
    if (branch == NULL)
        return 1;
    const uint64_t sum = mix(take_down(branch->child[0]), take_down(branch->child[1]));
    const uint64_t key = branch->key;
    free(branch);
    return mix(sum, key);
}

uint64_t prepare(double scale) {
    count = scaled(200000, scale);
    return 1;
}

uint64_t run(void) {
    struct Branch* root = NULL;
    uint64_t state = 5;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; ++i)
        insert(&root, next_random(&state) >> 40);
    state = 5;
    for (size_t i = 0; i < count; ++i)
        sum += depth_of(root, next_random(&state) >> 40);
    return mix(sum, take_down(root));
}
