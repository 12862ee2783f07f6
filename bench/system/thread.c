// A thread that is created, ends at once, and is joined (by a futex that the kernel wakes).
#include "kernels/measure.h"

#include <pthread.h>
#include <stdlib.h>

static size_t count;

static void* end_at_once(void* value) {
    return value;
}

uint64_t prepare(double scale) {
    return count = scaled(6000, scale);
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; ++i) {
        pthread_t other;
        void* value = NULL;
        if (pthread_create(&other, NULL, end_at_once, (void*)i) != 0)
            exit(1);
        pthread_join(other, &value);
        sum = mix(sum, (uint64_t)value);
    }
    return sum;
}
