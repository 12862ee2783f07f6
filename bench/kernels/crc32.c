// CRC-32 with a table of 256 entries: a load that depends on the one before, for each byte.
#include "measure.h"

enum { kSize = 1 << 16 };

static uint32_t table[256];
static uint8_t input[kSize];
static size_t repetitions;

uint64_t prepare(double scale) {
    repetitions = scaled(1000, scale);
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
        table[i] = value;
    }
    uint64_t state = 19;
    for (int i = 0; i < kSize; ++i)
        input[i] = (uint8_t)(next_random(&state) >> 32);
    return 1;
}

uint64_t run(void) {
    uint32_t crc = ~0U;
    for (size_t repetition = 0; repetition < repetitions; ++repetition)
        for (int i = 0; i < kSize; ++i)
            crc = table[(crc ^ input[i]) & 255] ^ crc >> 8;
    return ~crc;
}
