// memcpy, memmove and memset of the C library, from some bytes to a megabyte.
#include "measure.h"

#include <stdlib.h>
#include <string.h>

enum { kSize = 1 << 20 };

static uint8_t *source, *target;
static size_t repetitions;

static void copy_small(size_t round) {
    for (size_t at = 0; at < 64 * 1024; at += 64)
        memcpy(target + at, source + at + round % 64, 1 + (at / 64 * 7 + round) % 120);
}

static void copy_large(size_t round) {
    memcpy(target, source + round % 16, kSize / 4);
    memmove(target + kSize / 4, target + round % 100, kSize / 4);
    memset(target + kSize / 2, (int)round, kSize / 4);
}

uint64_t prepare(double scale) {
    repetitions = scaled(8000, scale);
    source = malloc(2 * kSize);
    target = malloc(kSize);
    memset(target, 0, kSize);
    for (size_t i = 0; i < 2 * kSize; ++i)
        source[i] = (uint8_t)(i * 31 >> 3);
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i) {
        copy_small(i);
        if (i % 4 == 0)
            copy_large(i);
        sum = mix(sum, target[i * 1021 % kSize]);
    }
    return sum;
}
