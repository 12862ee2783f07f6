// Host memory by the page: large reservations and private arenas.
#pragma once

#include <cstddef>
#include <type_traits>

#include "base/types.h"

namespace uchronia::host {

// Reserves `size` bytes of zeroed address space that cost nothing until they are touched. Never
// returns on failure: prints what was asked for and the remedy (overcommit, ulimit -v).
void* reserve(std::size_t size);
// As reserve, in huge pages where the host has them.
void* reserve_huge(std::size_t size);
void release(void* memory, std::size_t size);
// Makes what reserve gave zero again, and gives back what it has cost, page tables included.
void renew(void* memory, std::size_t size);

// Zeroed memory without an address of its own, which can be seen at several addresses at once.
// Costs nothing until it is touched.
class SharedMemory {
  public:
    explicit SharedMemory(std::size_t size);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    // Whether the host has such a thing.
    bool usable() const { return file_ >= 0; }
    // Shows it at an address, in place of what was reserved there.
    void map(void* at) const;
    // Makes it zero again, wherever it is seen, and gives back what it has cost.
    void clear();

  private:
    const std::size_t size_;
    int file_ = -1;
};

// An array of elements that are all zero bytes at first. It costs nothing where it is not touched.
template <class T>
class ZeroedArray {
  public:
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

    explicit ZeroedArray(std::size_t count)
        : size_(count), elements_(static_cast<T*>(reserve(bytes()))) {}
    ~ZeroedArray() { release(elements_, bytes()); }
    ZeroedArray(const ZeroedArray&) = delete;
    ZeroedArray& operator=(const ZeroedArray&) = delete;

    std::size_t size() const { return size_; }
    T& operator[](std::size_t index) { return elements_[index]; }
    const T& operator[](std::size_t index) const { return elements_[index]; }
    T* begin() { return elements_; }
    T* end() { return elements_ + size_; }

  private:
    std::size_t bytes() const { return (size_ + 1) * sizeof(T); }

    const std::size_t size_;
    T* const elements_;
};

}  // namespace uchronia::host
