#include "base/hash.h"

#include <xxhash.h>

namespace uchronia {
namespace {

u128 as_u128(Digest d) {
    return (static_cast<u128>(d.high) << 64) | d.low;
}

Digest from_u128(u128 value) {
    return {static_cast<u64>(value), static_cast<u64>(value >> 64)};
}

}  // namespace

Digest digest_of(std::span<const u8> bytes, u64 seed) {
    const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
    return {hash.low64, hash.high64};
}

Digest digest_of(std::span<const u8> bytes) {
    return digest_of(bytes, 0);
}

Digest digest_of(std::string_view text) {
    return digest_of({reinterpret_cast<const u8*>(text.data()), text.size()});
}

std::string to_hex(Digest digest) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex(32, '0');
    for (unsigned i = 0; i < 16; ++i) {
        hex[15 - i] = kDigits[(digest.high >> (4 * i)) & 15];
        hex[31 - i] = kDigits[(digest.low >> (4 * i)) & 15];
    }
    return hex;
}

Digest sum(Digest a, Digest b) {
    return from_u128(as_u128(a) + as_u128(b));
}

Digest difference(Digest a, Digest b) {
    return from_u128(as_u128(a) - as_u128(b));
}

}  // namespace uchronia
