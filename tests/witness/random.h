// Reproducible randomness for the witness: every case has a seed of its own, made from the run's
// seed, the row and the case's number, so that any one of them can be generated alone.
#pragma once

#include <cstddef>
#include <iterator>

#include "base/types.h"

namespace uchronia::witness {

class Random {  // splitmix64
  public:
    explicit Random(u64 seed) : state_(seed) {}

    u64 next() {
        u64 z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    u32 below(u64 limit) { return static_cast<u32>(next() % limit); }
    bool percent(u32 chance) { return below(100) < chance; }
    template <class T, std::size_t N>
    const T& pick(const T (&choices)[N]) {
        return choices[below(N)];
    }

  private:
    u64 state_;
};

inline u64 case_seed(u64 seed, u64 row, u64 number) {
    return Random(seed ^ Random(row * 0x10001 + 1).next() ^ Random(number + 0x5eed).next()).next();
}

}  // namespace uchronia::witness
