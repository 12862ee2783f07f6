// What a measured program must provide, and small things that several of them share. A program is
// one file with prepare() and run(), linked with measure.c, which has main().
//
// Work must be a pure function of the scale: the checksum of run() is compared between systems.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Makes the input; not measured. Returns how many operations one run() is: 1 for a computation, or
// 0 if this processor cannot do it.
uint64_t prepare(double scale);

// The measured work. Does the same each time it is called, and returns the same checksum.
uint64_t run(void);

#ifdef __cplusplus
}
#endif

// `count` times `scale`, but at least 1.
static inline size_t scaled(double count, double scale) {
    const double product = count * scale;
    return product < 1 ? 1 : (size_t)product;
}

// A step of xorshift64*: good enough for inputs. The state must not be 0.
static inline uint64_t next_random(uint64_t* state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dULL;
}

// Adds a value to a checksum.
static inline uint64_t mix(uint64_t sum, uint64_t value) {
    return (sum ^ value) * 0x100000001b3ULL + (sum >> 32);
}
