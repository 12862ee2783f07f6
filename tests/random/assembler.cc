#include "tests/random/assembler.h"

namespace uchronia::random {

void Piece::load(unsigned reg, u64 value) {
    if (value < u64{1} << 32) {  // MOV r32, imm32
        if (reg >= 8)
            put(0x41);
        put(0xb8 + (reg & 7));
        put(value, 4);
    } else {
        put(reg >= 8 ? 0x49 : 0x48);
        put(0xb8 + (reg & 7));
        put(value, 8);
    }
    end_instruction();
}

void Piece::load_place(unsigned reg, u32 piece, u64 value) {
    put(reg >= 8 ? 0x49 : 0x48);
    put(0xb8 + (reg & 7));
    hole(Hole::Kind::kPlace, 8, piece, value);
    end_instruction();
}

}  // namespace uchronia::random
