// The sieve of Eratosthenes on bytes: stores with growing strides.
#include "measure.h"

#include <stdlib.h>
#include <string.h>

enum { kLimit = 1 << 18 };

static uint8_t composite[kLimit];
static size_t repetitions;

uint64_t prepare(double scale) {
    repetitions = scaled(250, scale);
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i) {
        uint64_t count = 0;
        memset(composite, 0, sizeof composite);
        for (size_t n = 2; n < kLimit; ++n) {
            if (composite[n])
                continue;
            ++count;
            for (size_t multiple = n * n; multiple < kLimit; multiple += n)
                composite[multiple] = 1;
        }
        sum = mix(sum, count);
    }
    return sum;
}
