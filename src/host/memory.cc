#include "host/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace uchronia::host {

void* reserve(std::size_t size) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        std::fprintf(stderr,
                     "uchronia: cannot reserve %zu MiB of address space: %s. "
                     "Remove the limit (ulimit -v unlimited) or allow overcommit "
                     "(sysctl vm.overcommit_memory=0).\n",
                     size >> 20, std::strerror(errno));
        std::exit(125);
    }
    return memory;
}

void* reserve_huge(std::size_t size) {
    void* memory = reserve(size);
    madvise(memory, size, MADV_HUGEPAGE);  // best effort: the host may not have huge pages
    return memory;
}

void renew(void* memory, std::size_t size) {
    const void* same = mmap(memory, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (same == MAP_FAILED) {
        std::fprintf(stderr, "uchronia: cannot map %zu MiB of address space again: %s\n",
                     size >> 20, std::strerror(errno));
        std::exit(125);
    }
}

SharedMemory::SharedMemory(std::size_t size)
    : size_(size), file_(memfd_create("uchronia", MFD_CLOEXEC)) {
    if (file_ >= 0 && ftruncate(file_, static_cast<off_t>(size)) != 0) {
        close(file_);
        file_ = -1;
    }
}

SharedMemory::~SharedMemory() {
    if (file_ >= 0)
        close(file_);
}

void SharedMemory::map(void* at) const {
    const void* same =
        mmap(at, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, file_, 0);
    if (same == MAP_FAILED) {
        std::fprintf(stderr, "uchronia: cannot map %zu MiB of shared memory: %s\n", size_ >> 20,
                     std::strerror(errno));
        std::exit(125);
    }
}

void SharedMemory::clear() {
    if (fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                  static_cast<off_t>(size_)) != 0) {
        std::fprintf(stderr, "uchronia: cannot give shared memory back: %s\n",
                     std::strerror(errno));
        std::exit(125);
    }
}

void release(void* memory, std::size_t size) {
    munmap(memory, size);
}

}  // namespace uchronia::host
