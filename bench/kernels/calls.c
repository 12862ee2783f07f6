// Recursive calls: Fibonacci numbers the slow way.
#include "measure.h"

static size_t repetitions;

static __attribute__((noinline, noipa)) uint64_t fibonacci(unsigned n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

uint64_t prepare(double scale) {
    repetitions = scaled(5000, scale);
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i)
        sum = mix(sum, fibonacci(18 + (unsigned)(i % 5)));
    return sum;
}
