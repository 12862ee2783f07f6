#include "host/executable_memory.h"

#include <sys/mman.h>

namespace uchronia::host {

u8* allocate_executable(std::size_t size) {
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return nullptr;
    ::madvise(memory, size, MADV_HUGEPAGE);
    return static_cast<u8*>(memory);
}

void release_executable(u8* memory, std::size_t size) {
    ::munmap(memory, size);
}

}  // namespace uchronia::host
