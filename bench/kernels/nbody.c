// Gravitation of five bodies: scalar doubles with square roots and divisions.
#include "measure.h"

#include <math.h>
#include <string.h>

enum { kBodies = 5 };

struct Body {
    double at[3];
    double speed[3];
    double mass;
};

static struct Body bodies[kBodies];
static size_t steps;

static void reset(void) {
    uint64_t state = 29;
    for (int i = 0; i < kBodies; ++i) {
        for (int axis = 0; axis < 3; ++axis) {
            bodies[i].at[axis] = (double)(next_random(&state) >> 44) / 65536.0 - 8;
            bodies[i].speed[axis] = (double)(next_random(&state) >> 44) / 1048576.0 - 0.5;
        }
        bodies[i].mass = 1.0 + i;
    }
}

static void attract(struct Body* a, struct Body* b, double time) {
    double distance[3];
    double square = 0.01;
    for (int axis = 0; axis < 3; ++axis) {
        distance[axis] = a->at[axis] - b->at[axis];
        square += distance[axis] * distance[axis];
    }
    const double magnitude = time / (square * sqrt(square));
    for (int axis = 0; axis < 3; ++axis) {
        a->speed[axis] -= distance[axis] * b->mass * magnitude;
        b->speed[axis] += distance[axis] * a->mass * magnitude;
    }
}

static void advance(double time) {
    for (int i = 0; i < kBodies; ++i)
        for (int j = i + 1; j < kBodies; ++j)
            attract(&bodies[i], &bodies[j], time);
    for (int i = 0; i < kBodies; ++i)
        for (int axis = 0; axis < 3; ++axis)
            bodies[i].at[axis] += time * bodies[i].speed[axis];
}

uint64_t prepare(double scale) {
    steps = scaled(1.5e6, scale);
    return 1;
}

uint64_t run(void) {
    reset();
    for (size_t i = 0; i < steps; ++i)
        advance(0.001);
    uint64_t sum = 0;
    for (int i = 0; i < kBodies; ++i) {
        uint64_t bits;
        memcpy(&bits, &bodies[i].at[0], sizeof bits);
        sum = mix(sum, bits);
    }
    return sum;
}
