// pwrite of 4 KiB to a file in memory.
#include "kernels/measure.h"
#include "shared_memory_file.h"

#include <string.h>

static size_t count;
static int file;
static uint8_t block[kBlockSize];

uint64_t prepare(double scale) {
    file = open_file();
    memset(block, 0x5a, sizeof block);
    return count = scaled(200000, scale);
}

uint64_t run(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; ++i)
        sum += (uint64_t)pwrite(file, block, kBlockSize, (off_t)(i % kBlocks * kBlockSize));
    return sum;
}
