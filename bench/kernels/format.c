// Writing of JSON records with snprintf: numbers, strings, floating point.
#include "measure.h"

#include <stdio.h>

static size_t records;

uint64_t prepare(double scale) {
    records = scaled(250000, scale);
    return 1;
}

uint64_t run(void) {
    static const char* const kNames[] = {"alpha", "beta", "gamma", "delta"};
    uint64_t state = 41;
    uint64_t sum = 0;
    char line[256];
    for (size_t i = 0; i < records; ++i) {
        const uint64_t random = next_random(&state);
        const int size =
            snprintf(line, sizeof line,
                     "{\"id\": %zu, \"name\": \"%s\", \"key\": \"%08x\", \"value\": %.3f}", i,
                     kNames[random % 4], (unsigned)(random >> 32), (double)(random >> 40) / 1000);
        for (int at = 0; at < size; at += 7)
            sum = mix(sum, (uint8_t)line[at]);
    }
    return sum;
}
