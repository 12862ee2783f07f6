// Switches between two threads on one CPU by sched_yield: an operation is one yield.
#define _GNU_SOURCE
#include "kernels/measure.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static size_t count;

static void* yield_often(void* unused) {
    for (size_t i = 0; i < count / 2; ++i)
        sched_yield();
    return unused;
}

uint64_t prepare(double scale) {
    return count = 2 * scaled(40000, scale);
}

uint64_t run(void) {
    pthread_t other;
    if (pthread_create(&other, NULL, yield_often, NULL) != 0)
        exit(1);
    yield_often(NULL);
    pthread_join(other, NULL);
    return count;
}
