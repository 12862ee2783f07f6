// A hash table with open addressing: look-ups and changes of random keys. hash_small.c and
// hash_large.c say how large it is.
#pragma once

#include "measure.h"

#include <stdlib.h>

struct HashTable {
    uint64_t* keys;  // 0: free
    uint64_t* values;
    uint64_t mask;
};

static inline struct HashTable make_table(unsigned bits) {
    const size_t size = (size_t)1 << bits;
    struct HashTable table = {calloc(size, 8), calloc(size, 8), size - 1};
    return table;
}

static inline uint64_t* find_value(struct HashTable* table, uint64_t key) {
    uint64_t at = (key * 0x9e3779b97f4a7c15ULL) >> 20 & table->mask;
    while (table->keys[at] != 0 && table->keys[at] != key)
        at = (at + 1) & table->mask;
    table->keys[at] = key;
    return &table->values[at];
}

// Looks up random keys out of `distinct` ones, and inserts those that are new: all of them the
// first time, none if it is called again.
static inline uint64_t use_keys(struct HashTable* table, size_t accesses, uint64_t distinct) {
    uint64_t state = 7;
    uint64_t sum = 0;
    for (size_t i = 0; i < accesses; ++i) {
        uint64_t* value = find_value(table, next_random(&state) % distinct * 31 + 1);
        *value += i;
        sum += (uint64_t)(value - table->values);
    }
    return sum;
}
