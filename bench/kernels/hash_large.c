// A hash table larger than the caches: 64 MiB.
#include "hash_table.h"

enum { kDistinct = 2500000 };

static struct HashTable table;
static size_t accesses;

uint64_t prepare(double scale) {
    table = make_table(22);
    accesses = scaled(4e6, scale);
    use_keys(&table, accesses, kDistinct);
    return 1;
}

uint64_t run(void) {
    return use_keys(&table, accesses, kDistinct);
}
