// Sums over arrays in the first-level cache, with SSE2 as the compiler makes it.
#include "measure.h"

#include <string.h>

enum { kCount = 2048 };

static float x[kCount], y[kCount];
static uint32_t u[kCount], v[kCount];
static size_t repetitions;

static __attribute__((noinline, optimize("O3"))) void step(float factor, uint32_t word) {
    for (int i = 0; i < kCount; ++i)
        y[i] = y[i] * 0.5f + x[i] * factor;
    for (int i = 0; i < kCount; ++i)
        v[i] = (v[i] + (u[i] ^ word)) + (u[i] << 3);
}

static __attribute__((noinline, optimize("O3"))) uint32_t total(void) {
    uint32_t sum = 0;
    for (int i = 0; i < kCount; ++i)
        sum += v[i] ^ u[i];
    return sum;
}

uint64_t prepare(double scale) {
    repetitions = scaled(80000, scale);
    return 1;
}

static void reset(void) {
    for (int i = 0; i < kCount; ++i) {
        x[i] = (float)(i % 97);
        y[i] = 0;
        u[i] = (uint32_t)i * 2654435761U;
        v[i] = (uint32_t)i;
    }
}

uint64_t run(void) {
    uint64_t sum = 0;
    reset();
    for (size_t i = 0; i < repetitions; ++i) {
        step((float)(i & 15), (uint32_t)i);
        sum = mix(sum, total());
    }
    uint32_t bits;
    memcpy(&bits, &y[kCount / 3], sizeof bits);
    return mix(sum, bits);
}
