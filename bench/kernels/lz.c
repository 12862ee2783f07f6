// LZ77 compression with a hash of three bytes, and decompression.
#include "measure.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { kHashBits = 14, kLongestMatch = 255 + 4, kInputSize = 1 << 20 };

static char* input;
static uint8_t *packed, *unpacked;
static size_t repetitions;
static uint32_t heads[1 << kHashBits];

static uint32_t word_at(const uint8_t* p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

// Tokens: 0 LITERAL, or 1 LENGTH-4 DISTANCE (2 bytes, little-endian).
static size_t compress(const uint8_t* in, size_t size, uint8_t* out) {
    size_t at = 0;
    size_t written = 0;
    memset(heads, 0xff, sizeof heads);
    while (at + 4 < size) {
        uint32_t* head = &heads[word_at(in + at) * 2654435761U >> (32 - kHashBits)];
        const size_t candidate = *head;
        *head = (uint32_t)at;
        size_t length = 0;
        if (candidate < at && at - candidate < 65536)
            while (length < kLongestMatch && at + length < size &&
                   in[candidate + length] == in[at + length])
                ++length;
        if (length < 4) {
            out[written++] = 0;
            out[written++] = in[at++];
            continue;
        }
        const size_t distance = at - candidate;
        out[written++] = 1;
        out[written++] = (uint8_t)(length - 4);
        out[written++] = (uint8_t)distance;
        out[written++] = (uint8_t)(distance >> 8);
        at += length;
    }
    for (; at < size; ++at) {
        out[written++] = 0;
        out[written++] = in[at];
    }
    return written;
}

static size_t decompress(const uint8_t* in, size_t size, uint8_t* out) {
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        if (in[at] == 0) {
            out[written++] = in[at + 1];
            at += 2;
            continue;
        }
        size_t length = in[at + 1] + (size_t)4;
        const size_t distance = in[at + 2] | (size_t)in[at + 3] << 8;
        for (; length > 0; --length, ++written)
            out[written] = out[written - distance];
        at += 4;
    }
    return written;
}

uint64_t prepare(double scale) {
    repetitions = scaled(40, scale);
    input = malloc(kInputSize);
    packed = malloc(2 * kInputSize);
    unpacked = malloc(kInputSize);
    fill_with_text(input, kInputSize);
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i) {
        const size_t size = compress((const uint8_t*)input, kInputSize, packed);
        const size_t again = decompress(packed, size, unpacked);
        sum = mix(mix(sum, size), again + (unsigned)memcmp(input, unpacked, kInputSize));
    }
    return sum;
}
