// A random program: pieces in order, where they lie, and everything around them.
#pragma once

#include <string>
#include <vector>

#include "tests/random/assembler.h"
#include "tests/random/computer.h"

namespace uchronia::random {

// A run of pieces that lie one after another. What ends it, a jump, is no piece and always there.
struct Fragment {
    u64 address = 0;  // physical, and where it is mapped at the bottom
    u32 first = 0, count = 0;
    u32 next = 0;  // the piece that it goes on with
};

struct Program {
    std::vector<Piece> pieces;
    std::vector<Fragment> fragments;
    // Everything but the code.
    Image image;
    u64 ticks = 0;     // to run
    u64 interval = 0;  // between comparisons
    struct Interrupt {
        u64 tick;
        u8 vector;
    };
    std::vector<Interrupt> interrupts;
    u8 heat = 0;

    // The addresses of the pieces, for a layout that is complete.
    std::vector<u64> places() const;
};

// Which pieces are there; the others are NOPs of the same length.
using Mask = std::vector<bool>;

// "all", or numbers and ranges: "0,3,7-9".
bool parse_mask(const std::string& text, std::size_t count, Mask& mask);
std::string to_text(const Mask& mask);

// What a computer starts with for the pieces of the mask.
Image image_of(const Program& program, const Mask& mask);

}  // namespace uchronia::random
