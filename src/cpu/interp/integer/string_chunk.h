// The pure part of string instructions: how many iterations make one chunk, and the loops over host
// memory.
//
// A repeated string instruction executes in chunks; one chunk is one tick (docs/time.md). A chunk
// ends when rCX is 0, when the condition of REPE or REPNE ends the instruction, or before the next
// iteration would touch another page than the first one did, by either operand. An element that
// itself crosses a page is a chunk of its own, and so is an iteration with the trap flag set; an
// iteration that hits a data breakpoint is the last of its chunk. With a 32-bit address size, the
// pages of the offset count as well as those of the linear address, so that an offset never wraps
// within a chunk.
#pragma once

#include <algorithm>
#include <cstring>

#include "base/types.h"

namespace uchronia::cpu::interp::integer {

enum class Direction : u8 { kUp, kDown };

// Iterations from `address` on that stay in its page; 1 if the first element crosses its end.
constexpr u64 iterations_in_page(u64 address, u64 size, Direction direction) {
    const u64 offset = address & kPageMask;
    if (offset > kPageSize - size)
        return 1;
    return direction == Direction::kUp ? (kPageSize - offset) / size : offset / size + 1;
}

template <class T>
inline T load_element(const u8* source) {
    T value;
    std::memcpy(&value, source, sizeof value);
    return value;
}
template <class T>
inline void store_element(u8* destination, T value) {
    std::memcpy(destination, &value, sizeof value);
}

// Moves `count` elements, one after the other: overlapping operands propagate as in the guest.
template <class T>
inline void move_elements(u8* destination, const u8* source, u64 count, Direction direction) {
    const u64 bytes = count * sizeof(T);
    const bool ahead = destination > source && destination < source + bytes;
    if (direction == Direction::kUp && !ahead) {
        std::memmove(destination, source, bytes);
        return;
    }
    const i64 step = direction == Direction::kUp ? i64{sizeof(T)} : -i64{sizeof(T)};
    for (; count != 0; --count, source += step, destination += step)
        store_element<T>(destination, load_element<T>(source));
}

// Stores `count` equal elements.
template <class T>
inline void fill_elements(u8* destination, T value, u64 count, Direction direction) {
    if (direction == Direction::kDown)
        destination -= (count - 1) * sizeof(T);
    if (value == static_cast<T>(0x0101010101010101 * (value & 0xff))) {
        std::memset(destination, static_cast<int>(value & 0xff), count * sizeof(T));
        return;
    }
    for (; count != 0; --count, destination += sizeof(T))
        store_element<T>(destination, value);
}

}  // namespace uchronia::cpu::interp::integer
