#include "base/prng.h"

namespace uchronia {
namespace {

constexpr u32 kMultiplier0 = 0xd2511f53, kMultiplier1 = 0xcd9e8d57;
constexpr u32 kWeyl0 = 0x9e3779b9, kWeyl1 = 0xbb67ae85;
constexpr unsigned kRounds = 10;

u32 high(u64 product) {
    return static_cast<u32>(product >> 32);
}

}  // namespace

u64 random_word(u64 seed, u64 stream, u64 counter) {
    u32 x[4] = {static_cast<u32>(counter), high(counter), static_cast<u32>(stream), high(stream)};
    u32 key0 = static_cast<u32>(seed), key1 = high(seed);
    for (unsigned round = 0; round < kRounds; ++round) {
        const u64 a = u64{kMultiplier0} * x[0];
        const u64 b = u64{kMultiplier1} * x[2];
        const u32 next[4] = {high(b) ^ x[1] ^ key0, static_cast<u32>(b), high(a) ^ x[3] ^ key1,
                             static_cast<u32>(a)};
        x[0] = next[0];
        x[1] = next[1];
        x[2] = next[2];
        x[3] = next[3];
        key0 += kWeyl0;
        key1 += kWeyl1;
    }
    return u64{x[1]} << 32 | x[0];
}

}  // namespace uchronia
