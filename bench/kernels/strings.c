// The C library's string functions on short and long strings.
#include "measure.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { kTextSize = 1 << 16 };

static char text[kTextSize + 1];
static char line[kTextSize + 1];
static size_t repetitions;

static uint64_t scan_lines(void) {
    uint64_t sum = 0;
    const char* at = text;
    for (const char* end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        const size_t size = (size_t)(end - at);
        memcpy(line, at, size);
        line[size] = '\0';
        const char* found = strstr(line, "seeds decide");
        sum = mix(sum, strlen(line) + (found != NULL ? (size_t)(found - line) : 0));
        sum += (uint64_t)(strcmp(line, "the history") > 0) + strspn(line, "aeht ");
        sum += strcspn(line, "wxz") + (memchr(line, 'q', size) != NULL);
    }
    return sum;
}

static uint64_t split_words(void) {
    uint64_t sum = 0;
    strcpy(line, text);
    char* rest = NULL;
    for (char* word = strtok_r(line, " \n", &rest); word != NULL;
         word = strtok_r(NULL, " \n", &rest))
        sum = mix(sum, strlen(word) + (uint64_t)(strncmp(word, "wh", 2) == 0));
    return sum;
}

uint64_t prepare(double scale) {
    repetitions = scaled(350, scale);
    fill_with_text(text, kTextSize);
    return 1;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i)
        sum = mix(sum, scan_lines() + split_words());
    return sum;
}
