// Patterns in a text: a table-driven automaton for several words (Aho and Corasick), and a matcher
// that backtracks.
#include "measure.h"
#include "text.h"

#include <string.h>

enum { kTextSize = 1 << 16, kMostStates = 64 };

static char text[kTextSize + 1];
static uint16_t next_state[kMostStates][256];
static uint8_t accepts[kMostStates];
static size_t repetitions;

static void build(void) {
    static const char* const kPatterns[] = {"seed", "eds d", "clock", "hist", "again", "that runs"};
    uint16_t fail[kMostStates] = {0};
    uint16_t queue[kMostStates];
    uint16_t states = 1;
    for (size_t i = 0; i < sizeof kPatterns / sizeof *kPatterns; ++i) {
        uint16_t at = 0;
        for (const char* c = kPatterns[i]; *c != '\0'; ++c) {
            if (next_state[at][(uint8_t)*c] == 0)
                next_state[at][(uint8_t)*c] = states++;
            at = next_state[at][(uint8_t)*c];
        }
        accepts[at] = (uint8_t)(i + 1);
    }
    size_t first = 0;
    size_t last = 0;
    for (int c = 0; c < 256; ++c)
        if (next_state[0][c] != 0)
            queue[last++] = next_state[0][c];
    for (; first < last; ++first)
        for (int c = 0; c < 256; ++c) {
            uint16_t* target = &next_state[queue[first]][c];
            const uint16_t other = next_state[fail[queue[first]]][c];
            if (*target == 0) {
                *target = other;
                continue;
            }
            fail[*target] = other;
            queue[last++] = *target;
        }
}

// Whether `at` begins with `pattern`: '.' is any character, '*' repeats the one before it.
static int matches(const char* pattern, const char* at) {
    if (*pattern == '\0')
        return 1;
    const int fits = *at != '\0' && (*pattern == '.' || *pattern == *at);
    if (pattern[1] == '*')
        return matches(pattern + 2, at) || (fits && *at != '\n' && matches(pattern, at + 1));
    return fits && matches(pattern + 1, at + 1);
}

uint64_t prepare(double scale) {
    repetitions = scaled(600, scale);
    fill_with_text(text, kTextSize);
    build();
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i) {
        unsigned state = 0;
        for (const char* at = text; *at != '\0'; ++at) {
            state = next_state[state][(uint8_t)*at];
            if (accepts[state] != 0)
                sum = mix(sum, accepts[state]);
        }
        for (const char *at = text + i * 256 % (kTextSize / 2), *end = at + 2048; at < end; ++at)
            sum += (uint64_t)matches("wh.*h t*he .*cl", at);
    }
    return sum;
}
