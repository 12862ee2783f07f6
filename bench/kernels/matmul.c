// Multiplication of matrices of doubles, the plain three loops.
#include "measure.h"

#include <string.h>

enum { kSize = 160 };

static double a[kSize][kSize], b[kSize][kSize], c[kSize][kSize];
static size_t repetitions;

static void multiply(void) {
    memset(c, 0, sizeof c);
    for (int i = 0; i < kSize; ++i)
        for (int k = 0; k < kSize; ++k)
            for (int j = 0; j < kSize; ++j)
                c[i][j] += a[i][k] * b[k][j];
}

uint64_t prepare(double scale) {
    repetitions = scaled(200, scale);
    uint64_t state = 13;
    for (int i = 0; i < kSize; ++i)
        for (int j = 0; j < kSize; ++j) {
            a[i][j] = (double)(next_random(&state) >> 40) / 65536.0;
            b[i][j] = (double)(next_random(&state) >> 40) / 65536.0;
        }
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i) {
        multiply();
        uint64_t bits;
        memcpy(&bits, &c[i % kSize][(i * 7) % kSize], sizeof bits);
        sum = mix(sum, bits);
    }
    return sum;
}
