// A guest's memory as a profiler sees it: by virtual address in the address space that is in use,
// and by physical address. Looking changes nothing.
#pragma once

#include <span>
#include <string>

#include "base/types.h"

namespace uchronia::profile {

class GuestView {
  public:
    virtual ~GuestView() = default;

    virtual bool translate(u64 address, u64& physical) = 0;
    // False if some of the range is not RAM.
    virtual bool read_physical(u64 physical, std::span<u8> bytes) = 0;

    // False if some of the range is not mapped to RAM.
    bool read(u64 address, std::span<u8> bytes);

    template <class T>
    bool load(u64 address, T& value) {
        return read(address, {reinterpret_cast<u8*>(&value), sizeof value});
    }
    // The number at an address, or 0.
    template <class T = u64>
    T number(u64 address) {
        T value{};
        return load(address, value) ? value : T{};
    }
    // A text of at most `most` bytes that ends there or with a NUL.
    std::string text(u64 address, u64 most);
};

}  // namespace uchronia::profile
