// Digests: XXH3-128 of byte strings (https://github.com/Cyan4973/xxHash/blob/dev/doc).
//
// Not cryptographic: two states that differ by accident never collide in practice, two states made
// to collide may.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/types.h"

namespace uchronia {

struct Digest {
    u64 low = 0;
    u64 high = 0;

    bool operator==(const Digest&) const = default;
    auto operator<=>(const Digest&) const = default;
};

Digest digest_of(std::span<const u8> bytes);
Digest digest_of(std::string_view text);
// As digest_of, with another result for each `seed`.
Digest digest_of(std::span<const u8> bytes, u64 seed);

// 32 lower-case hexadecimal digits, the high half first.
std::string to_hex(Digest digest);

// Sums modulo 2^128, so that a set of keyed digests can be updated one element at a time.
Digest sum(Digest a, Digest b);
Digest difference(Digest a, Digest b);

}  // namespace uchronia
