// Strong types for the quantities that must never be mixed up.
//
// A Strong<Tag> is a 64-bit count that only compares with, and subtracts from, its own kind.
// Units: Ticks are retired guest instructions; VirtualTime is nanoseconds of guest time.
#pragma once

#include <compare>
#include <cstdint>

namespace uchronia {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using u128 = unsigned __int128;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using i128 = __int128;

template <class Tag>
struct Strong {
    u64 value = 0;

    constexpr Strong() = default;
    constexpr explicit Strong(u64 v) : value(v) {}

    constexpr auto operator<=>(const Strong&) const = default;
    constexpr Strong operator+(Strong other) const { return Strong(value + other.value); }
    constexpr Strong operator-(Strong other) const { return Strong(value - other.value); }
    constexpr Strong& operator+=(Strong other) {
        value += other.value;
        return *this;
    }
    constexpr Strong& operator-=(Strong other) {
        value -= other.value;
        return *this;
    }
};

// Retired guest instructions (docs/time.md): the only clock inside the wall.
using Ticks = Strong<struct TicksTag>;
// Nanoseconds since the machine was switched on: ticks plus jumps over idle time.
using VirtualTime = Strong<struct VirtualTimeTag>;
// A guest-physical byte address.
using PhysicalAddress = Strong<struct PhysicalAddressTag>;
// A guest-virtual (linear) byte address.
using VirtualAddress = Strong<struct VirtualAddressTag>;

// "No deadline": later than every moment.
inline constexpr VirtualTime kNever{~u64{0}};

inline constexpr u64 kPageBits = 12;
inline constexpr u64 kPageSize = u64{1} << kPageBits;
inline constexpr u64 kPageMask = kPageSize - 1;

}  // namespace uchronia
