// Bytes to Ops, by the instruction table.
//
// Pure: the result depends on the bytes, the code mode and the offset only. It does not bind a
// handler; the engine does, from `instruction`.
#pragma once

#include <span>

#include "cpu/decode/instruction.h"
#include "cpu/op.h"

namespace uchronia::cpu {

inline constexpr u32 kLongestInstruction = 15;  // bytes (APM vol. 3, 1.1)

// What the decoder found out that Op does not carry, for choosing a handler.
struct Decoded {
    Op op;                    // without handler
    Instruction instruction;  // kUndefined: raise #UD
    u8 operand_size;          // effective operand size in bytes: 2, 4 or 8 (bytes forms: see name)
    u16 attributes;           // of the row, and 0 for kUndefined
};

enum class DecodeStatus : u8 {
    kDone,       // includes undefined opcodes, whose Decoded says kUndefined
    kNeedsMore,  // `bytes` ended inside the instruction
    kTooLong,    // more than kLongestInstruction bytes: #GP(0)
};

// Decodes the instruction at the start of `bytes`, which lies at `page_offset` in its page. At most
// kLongestInstruction bytes are looked at.
DecodeStatus decode(std::span<const u8> bytes, CodeMode mode, u16 page_offset, Decoded& decoded);

}  // namespace uchronia::cpu
