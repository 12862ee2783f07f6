// An open file of 64 KiB in the file system in memory that each of the systems has.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { kBlockSize = 4096, kBlocks = 16 };

static inline int open_file(void) {
    char path[] = "/dev/shm/compare-XXXXXX";
    const int file = mkstemp(path);
    if (file < 0 || unlink(path) != 0 || ftruncate(file, kBlockSize * kBlocks) != 0)
        exit(1);
    return file;
}
