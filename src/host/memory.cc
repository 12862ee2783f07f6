#include "host/memory.h"

#include <sys/mman.h>

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

void release(void* memory, std::size_t size) {
    munmap(memory, size);
}

}  // namespace uchronia::host
