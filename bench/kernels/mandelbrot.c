// The Mandelbrot set in single precision, scalar.
#include "measure.h"

enum { kWidth = 400, kMostSteps = 200 };

static size_t rows;

static unsigned steps_at(float cx, float cy) {
    float x = 0;
    float y = 0;
    unsigned steps = 0;
    for (; steps < kMostSteps && x * x + y * y < 4; ++steps) {
        const float next = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = next;
    }
    return steps;
}

uint64_t prepare(double scale) {
    rows = scaled(2500, scale);
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t row = 0; row < rows; ++row)
        for (int column = 0; column < kWidth; ++column)
            sum = mix(sum, steps_at((float)column / (kWidth / 3) - 2.2f,
                                    (float)(row % 331) / 140 - 1.2f));
    return sum;
}
