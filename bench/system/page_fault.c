// The first touch of an anonymous page, and its share of giving the memory back.
#include "kernels/measure.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { kPageSize = 4096, kPages = 2048 };

static size_t repetitions;

uint64_t prepare(double scale) {
    repetitions = scaled(25, scale);
    return repetitions * kPages;
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < repetitions; ++i) {
        uint8_t* pages = mmap(NULL, (size_t)kPages * kPageSize, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED)
            exit(1);
        madvise(pages, (size_t)kPages * kPageSize, MADV_NOHUGEPAGE);
        for (size_t page = 0; page < kPages; ++page)
            sum += ++pages[page * kPageSize];
        munmap(pages, (size_t)kPages * kPageSize);
    }
    return sum;
}
