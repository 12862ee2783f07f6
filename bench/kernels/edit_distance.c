// Dynamic programming: the edit distance of texts, with the minimum of three in each step.
#include "measure.h"
#include "text.h"

enum { kLength = 2000 };

static char text[2 * kLength + 64];
static uint32_t row[kLength + 1];
static size_t repetitions;

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static uint32_t distance(const char* a, const char* b) {
    for (uint32_t j = 0; j <= kLength; ++j)
        row[j] = j;
    for (uint32_t i = 1; i <= kLength; ++i) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= kLength; ++j) {
            const uint32_t above = row[j];
            const uint32_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            row[j] = smaller(replaced, smaller(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[kLength];
}

uint64_t prepare(double scale) {
    repetitions = scaled(25, scale);
    fill_with_text(text, sizeof text);
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i)
        sum = mix(sum, distance(text, text + kLength + i % 64));
    return sum;
}
