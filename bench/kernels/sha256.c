// SHA-256 (FIPS 180-4) of a buffer: rotations, additions, no branches.
#include "measure.h"

#include <stdlib.h>
#include <string.h>

// clang-format off
static const uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
// clang-format on

static uint8_t* input;
static size_t blocks;

static uint32_t rotated(uint32_t value, unsigned count) {
    return value >> count | value << (32 - count);
}

static void expand(uint32_t words[64], const uint8_t* block) {
    memcpy(words, block, 64);
    for (int i = 0; i < 16; ++i)
        words[i] = __builtin_bswap32(words[i]);
    for (int i = 16; i < 64; ++i) {
        const uint32_t a = words[i - 15];
        const uint32_t b = words[i - 2];
        words[i] = words[i - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + words[i - 7] +
                   (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
    }
}

static void compress(uint32_t hash[8], const uint8_t* block) {
    uint32_t words[64];
    uint32_t s[8];
    expand(words, block);
    memcpy(s, hash, sizeof s);
    for (int i = 0; i < 64; ++i) {
        const uint32_t t1 = s[7] + (rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25)) +
                            ((s[4] & s[5]) ^ (~s[4] & s[6])) + kRound[i] + words[i];
        const uint32_t t2 = (rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)) +
                            ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; ++i)
        hash[i] += s[i];
}

uint64_t prepare(double scale) {
    blocks = scaled(250000, scale);
    input = malloc(64 * 1024);
    uint64_t state = 11;
    for (size_t i = 0; i < 64 * 1024; ++i)
        input[i] = (uint8_t)(next_random(&state) >> 32);
    return 1;
}

uint64_t run(void) {
    uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (size_t i = 0; i < blocks; ++i)
        compress(hash, input + i % 1024 * 64);
    return (uint64_t)hash[0] << 32 | hash[7];
}
