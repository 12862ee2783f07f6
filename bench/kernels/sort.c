// Quicksort of 64-bit numbers, with insertion sort for short ranges.
#include "measure.h"

#include <stdlib.h>
#include <string.h>

static uint64_t *input, *numbers;
static size_t count;

static void insertion_sort(uint64_t* first, size_t size) {
    for (size_t i = 1; i < size; ++i) {
        const uint64_t value = first[i];
        size_t j = i;
        for (; j > 0 && first[j - 1] > value; --j)
            first[j] = first[j - 1];
        first[j] = value;
    }
}

static size_t partition(uint64_t* first, size_t size) {
    const uint64_t pivot = first[size / 2];
    size_t i = 0;
    size_t j = size - 1;
    for (;; ++i, --j) {
        while (first[i] < pivot)
            ++i;
        while (first[j] > pivot)
            --j;
        if (i >= j)
            return j + 1;
        const uint64_t swapped = first[i];
        first[i] = first[j];
        first[j] = swapped;
    }
}

static void quicksort(uint64_t* first, size_t size) {
    while (size > 16) {
        const size_t middle = partition(first, size);
        quicksort(first, middle);
        first += middle;
        size -= middle;
    }
    insertion_sort(first, size);
}

uint64_t prepare(double scale) {
    count = scaled(2000000, scale);
    input = malloc(count * sizeof *input);
    numbers = malloc(count * sizeof *numbers);
    uint64_t state = 1;
    for (size_t i = 0; i < count; ++i)
        input[i] = next_random(&state);
    return 1;
}

uint64_t run(void) {
    memcpy(numbers, input, count * sizeof *numbers);
    quicksort(numbers, count);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i += 97)
        sum = mix(sum, numbers[i]);
    return sum;
}
