// The game of life on bits, 64 cells in a word, and counting of bits without an instruction for it.
#include "measure.h"

enum { kRows = 256, kWords = 4 };

static uint64_t field[2][kRows][kWords];
static size_t generations;

// Adds three rows' cells to the left, here and to the right, as two-bit numbers in two words.
static void add_three(uint64_t a, uint64_t b, uint64_t c, uint64_t* low, uint64_t* high) {
    *low = a ^ b ^ c;
    *high = (a & b) | (c & (a ^ b));
}

static uint64_t next_word(const uint64_t rows[3][3]) {
    uint64_t low[3], high[3];
    for (int i = 0; i < 3; ++i) {
        const uint64_t left = rows[i][1] << 1 | rows[i][0] >> 63;
        const uint64_t right = rows[i][1] >> 1 | rows[i][2] << 63;
        add_three(left, i == 1 ? 0 : rows[i][1], right, &low[i], &high[i]);
    }
    uint64_t ones, twos_a, twos_b, fours;
    add_three(low[0], low[1], low[2], &ones, &twos_a);
    add_three(high[0], high[1], high[2], &twos_b, &fours);
    const uint64_t twos = twos_a ^ twos_b;
    fours |= twos_a & twos_b;
    return twos & ~fours & (ones | rows[1][1]);
}

static void advance(const uint64_t from[kRows][kWords], uint64_t to[kRows][kWords]) {
    for (int y = 0; y < kRows; ++y)
        for (int x = 0; x < kWords; ++x) {
            uint64_t rows[3][3];
            for (int dy = 0; dy < 3; ++dy)
                for (int dx = 0; dx < 3; ++dx)
                    rows[dy][dx] =
                        from[(y + dy + kRows - 1) % kRows][(x + dx + kWords - 1) % kWords];
            to[y][x] = next_word(rows);
        }
}

static uint64_t bits_of(uint64_t word) {
    word -= word >> 1 & 0x5555555555555555;
    word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
    return (((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101) >> 56;
}

static uint64_t population(const uint64_t cells[kRows][kWords]) {
    uint64_t sum = 0;
    for (int y = 0; y < kRows; ++y)
        for (int x = 0; x < kWords; ++x)
            sum += bits_of(cells[y][x]);
    return sum;
}

uint64_t prepare(double scale) {
    generations = scaled(6000, scale);
    return 1;
}

uint64_t run(void) {
    uint64_t state = 37;
    for (int y = 0; y < kRows; ++y)
        for (int x = 0; x < kWords; ++x)
            field[0][y][x] = next_random(&state) & next_random(&state);
    uint64_t sum = 0;
    for (size_t i = 0; i < generations; ++i) {
        advance(field[i % 2], field[1 - i % 2]);
        sum = mix(sum, population(field[1 - i % 2]));
    }
    return sum;
}
