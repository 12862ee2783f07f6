// A deterministic text that looks a little like a language, as input for several programs.
#pragma once

#include "measure.h"

static inline void fill_with_text(char* text, size_t size) {
    static const char* const kWords[] = {
        "the",   "history", "of",  "a",    "machine", "that",  "runs",  "again",
        "and",   "every",   "bit", "is",   "same",    "where", "seeds", "decide",
        "which", "way",     "it",  "went", "without", "clock", "or",    "chance"};
    uint64_t state = 17;
    for (size_t at = 0; at < size;) {
        const uint64_t random = next_random(&state);
        const char* word = kWords[(random >> 32) % (sizeof kWords / sizeof *kWords)];
        while (*word != '\0' && at < size)
            text[at++] = *word++;
        if (at < size)
            text[at++] = (random >> 20) % 11 == 0 ? '\n' : ' ';
    }
}
