// What a fuzz target makes its choices with: the bytes of the input, and when these are used up,
// pseudo-random ones that the first eight bytes decide. So a fuzzer can steer every choice, and a
// short input is still a complete case.
#pragma once

#include <cstddef>
#include <iterator>
#include <span>
#include <vector>

#include "base/types.h"

namespace uchronia::fuzz {

class Input {
  public:
    Input(const unsigned char* data, std::size_t size) : rest_(data, size) {
        for (unsigned i = 0; i < 8; ++i)
            state_ = state_ << 8 | (i < size ? data[i] : 0);
        rest_ = rest_.subspan(size < 8 ? size : 8);
    }

    u8 byte() {
        if (rest_.empty())
            return static_cast<u8>(random() >> 56);
        const u8 value = rest_.front();
        rest_ = rest_.subspan(1);
        return value;
    }
    u64 word(unsigned bytes = 8) {
        if (rest_.empty())
            return random() >> (64 - 8 * bytes);
        u64 value = 0;
        for (unsigned i = 0; i < bytes; ++i)
            value = value << 8 | byte();
        return value;
    }
    u64 below(u64 limit) { return word(limit <= 256 ? 1 : limit <= 65536 ? 2 : 8) % limit; }
    bool percent(u64 chance) { return below(100) < chance; }
    template <class T, std::size_t N>
    const T& pick(const T (&choices)[N]) {
        return choices[below(N)];
    }
    template <class T>
    const T& pick(const std::vector<T>& choices) {
        return choices[below(choices.size())];
    }

  private:
    u64 random() {  // splitmix64
        u64 z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    std::span<const u8> rest_;
    u64 state_ = 0;
};

}  // namespace uchronia::fuzz
