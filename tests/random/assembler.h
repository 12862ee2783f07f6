// Bytes of guest code with holes that depend on where the code and its targets will lie.
#pragma once

#include <vector>

#include "base/types.h"
#include "cpu/state.h"
#include "tests/witness/random.h"

namespace uchronia::random {

using witness::Random;

// A hole in a piece's bytes.
struct Hole {
    enum class Kind : u8 {
        kRelative,       // distance to a piece, from `end`
        kRelativeData,   // distance to the address in `value`, from `end`
        kRelativePlace,  // distance to `value` bytes into a piece, from `end`: for stores to code
        kPlace,          // address of a piece plus `value`
    };
    Kind kind = Kind::kRelative;
    u8 at = 0;
    u8 size = 4;
    u8 end = 0;  // of the instruction, in the piece
    u32 piece = 0;
    u64 value = 0;
};

// What the test puts in or leaves out as a whole: an instruction, or a few that belong together.
struct Piece {
    std::vector<u8> bytes;
    std::vector<Hole> holes;

    void put(u64 value, unsigned size = 1) {
        for (unsigned i = 0; i < size; ++i)
            bytes.push_back(static_cast<u8>(value >> (8 * i)));
    }
    void put(std::initializer_list<u8> more) { bytes.insert(bytes.end(), more); }
    // A hole of `size` bytes here. The end of the instruction is fixed by end_instruction().
    void hole(Hole::Kind kind, unsigned size, u32 piece, u64 value) {
        holes.push_back(
            {kind, static_cast<u8>(bytes.size()), static_cast<u8>(size), 0, piece, value});
        put(0, size);
    }
    void end_instruction() {
        for (Hole& h : holes) {
            if (h.end == 0)
                h.end = static_cast<u8>(bytes.size());
        }
    }

    // MOV of a constant to a 64-bit register.
    void load(unsigned reg, u64 value);
    // The same of the address of a piece, plus `value`.
    void load_place(unsigned reg, u32 piece, u64 value);
    // [RIP + x], for the address `data`, as ModRM and displacement.
    void rip_operand(unsigned reg, u64 data) {
        put(static_cast<u64>(reg & 7) << 3 | 5);
        hole(Hole::Kind::kRelativeData, 4, 0, data);
    }
};

}  // namespace uchronia::random
