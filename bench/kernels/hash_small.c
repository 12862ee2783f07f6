// A hash table that fits into the first-level cache.
#include "hash_table.h"

enum { kDistinct = 600 };

static struct HashTable table;
static size_t accesses;

uint64_t prepare(double scale) {
    table = make_table(10);
    accesses = scaled(16e6, scale);
    use_keys(&table, accesses, kDistinct);
    return 1;
}

uint64_t run(void) {
    return use_keys(&table, accesses, kDistinct);
}
