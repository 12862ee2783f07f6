// For tests: numbers at which floating-point instructions are likely to go wrong.
#pragma once

#include <iterator>
#include <random>

#include "base/types.h"
#include "cpu/interp/sse/float_unit.h"

namespace uchronia::cpu::interp::test_support {

// Edges, anything, numbers near the least and the greatest, and numbers near 1 with few bits.
// `Bits` is the format's unsigned type.
template <class Bits>
Bits random_float(std::mt19937_64& random, int fraction_bits) {
    const Bits sign = static_cast<Bits>(random() << (8 * sizeof(Bits) - 1));
    const Bits hidden = static_cast<Bits>(Bits{1} << fraction_bits);
    const Bits infinity = static_cast<Bits>((Bits{1} << (8 * sizeof(Bits) - 1)) - hidden);
    const Bits one = static_cast<Bits>((infinity >> 1) & ~(hidden - 1));
    const Bits fraction = static_cast<Bits>(random() & (hidden - 1));
    const auto power_of_2 = [&](int n) { return static_cast<Bits>(one + n * hidden); };
    switch (random() % 6) {
        case 0: {
            const Bits edges[] = {0,
                                  1,
                                  static_cast<Bits>(hidden - 1),
                                  hidden,
                                  one,
                                  power_of_2(-1),
                                  static_cast<Bits>(power_of_2(fraction_bits) + 1),
                                  power_of_2(31),
                                  static_cast<Bits>(power_of_2(31) - 1),
                                  power_of_2(63),
                                  static_cast<Bits>(power_of_2(63) - 1),
                                  static_cast<Bits>(infinity - 1),
                                  infinity,
                                  static_cast<Bits>(infinity + 1),
                                  static_cast<Bits>(infinity + hidden / 2 + 5)};
            return sign | edges[random() % std::size(edges)];
        }
        case 1:
            return static_cast<Bits>(random());
        case 2:
            return sign | static_cast<Bits>((random() % 2 != 0 ? 0 : infinity - 8 * hidden) +
                                            random() % 8 * hidden + fraction);
        default: {
            const Bits kept = static_cast<Bits>(~Bits{0} << random() % fraction_bits);
            return sign |
                   static_cast<Bits>(one + (random() % 32 - 16) * hidden + (fraction & kept));
        }
    }
}
inline u64 random_double(std::mt19937_64& random) {
    return random_float<u64>(random, 52);
}
inline u64 random_singles(std::mt19937_64& random) {
    const u64 high = random_float<u32>(random, 23);
    return high << 32 | random_float<u32>(random, 23);
}
inline u64 random_halves(std::mt19937_64& random) {
    u64 value = 0;
    for (int i = 0; i < 4; ++i)
        value = value << 16 | random_float<u16>(random, 10);
    return value;
}

// Any rounding, mostly without the flags and modes that are rarely set; all exceptions masked, or
// any.
enum class Exceptions : u8 { kMasked, kAny };
inline u32 random_mxcsr(std::mt19937_64& random, Exceptions exceptions) {
    u32 value = sse::mxcsr::kMasks;
    if (exceptions == Exceptions::kAny)
        value &= static_cast<u32>(random());
    return value | (random() % 4 != 0 ? 0 : static_cast<u32>(random()) & 0xe07f);
}

}  // namespace uchronia::cpu::interp::test_support
