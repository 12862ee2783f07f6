// A recursive-descent parser and evaluator of arithmetic expressions.
#include "measure.h"

#include <stdlib.h>

enum { kTextSize = 1 << 16 };

static char text[kTextSize + 64];
static size_t repetitions;

static uint64_t parse_sum(const char** at);

static __attribute__((noinline)) uint64_t parse_atom(const char** at) {
    if (**at == '(') {
        ++*at;
        const uint64_t value = parse_sum(at);
        ++*at;  // ')'
        return value;
    }
    if (**at == '-') {
        ++*at;
        return 0 - parse_atom(at);
    }
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        value = value * 10 + (uint64_t)(**at - '0');
    return value;
}

static __attribute__((noinline)) uint64_t parse_product(const char** at) {
    uint64_t value = parse_atom(at);
    while (**at == '*' || **at == '&') {
        const char sign = *(*at)++;
        const uint64_t other = parse_atom(at);
        value = sign == '*' ? value * other : value & other;
    }
    return value;
}

static __attribute__((noinline)) uint64_t parse_sum(const char** at) {
    uint64_t value = parse_product(at);
    while (**at == '+' || **at == '|') {
        const char sign = *(*at)++;
        const uint64_t other = parse_product(at);
        value = sign == '+' ? value + other : value | other;
    }
    return value;
}

static char* write_expression(char* to, unsigned depth, uint64_t* state) {
    const uint64_t random = next_random(state) >> 32;
    if (depth == 0 || random % 8 == 0) {
        for (unsigned digits = 1 + random / 8 % 5; digits > 0; --digits)
            *to++ = (char)('0' + (next_random(state) >> 40) % 10);
        return to;
    }
    *to++ = '(';
    to = write_expression(to, depth - 1, state);
    *to++ = "+*|&"[random / 64 % 4];
    if (random / 512 % 8 == 0)
        *to++ = '-';
    to = write_expression(to, depth - 1, state);
    *to++ = ')';
    return to;
}

uint64_t prepare(double scale) {
    repetitions = scaled(400, scale);
    uint64_t state = 31;
    char* to = text;
    // Depth 8 has at most 255 signs and 256 numbers of five digits: less than 3,000 characters.
    while (to < text + kTextSize - 3000) {
        to = write_expression(to, 8, &state);
        *to++ = '\n';
    }
    *to = '\0';
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i)
        for (const char* at = text; *at != '\0'; ++at)
            sum = mix(sum, parse_sum(&at));
    return sum;
}
