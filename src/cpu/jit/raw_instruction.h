// The bytes of an instruction taken apart, so that it can be encoded again with other operands.
//
// Source: APM vol. 3, 1 (instruction encoding).
#pragma once

#include "cpu/decode/decoder.h"
#include "cpu/jit/assembler.h"

namespace uchronia::cpu::jit {

struct RawInstruction {
    bool operand_size = false;  // 66 is there
    u8 repeat = 0;              // F2 or F3, the last of them
    bool has_rex = false;
    bool rex_w = false;
    bool vex = false;
    u8 vex_length = 0;  // L: 0 = 128 bits or scalar, 1 = 256
    u8 vex_prefix = 0;  // pp: 0 none, 1 = 66, 2 = F3, 3 = F2
    u8 vvvv = 0;
    u8 map = 0;  // 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A
    u8 opcode = 0;
    u8 opcode_register = 0;  // the three low bits of the opcode with REX.B
    bool has_modrm = false;
    u8 mod = 0;
    u8 reg = 0;  // with REX.R
    u8 rm = 0;   // with REX.B; of the register form
    u8 immediate_size = 0;
    const u8* immediate = nullptr;  // in the bytes that were given
};

// Takes apart what the decoder has accepted in 64-bit mode: `length` bytes.
RawInstruction take_apart(const u8* bytes, unsigned length);

// The legacy prefixes that belong to the instruction (66, F2, F3).
struct LegacyPrefixes {
    bool operand_size = false;
    u8 repeat = 0;
};

// Writes the instruction with other operands. `reg` and the register form of `rm` are host register
// numbers (or an opcode digit, or a vector register); `force_rex` is for SPL to DIL.
void encode(Assembler& out, const RawInstruction& raw, LegacyPrefixes prefixes, u8 reg, u8 vvvv,
            const Memory& rm, bool force_rex);
void encode(Assembler& out, const RawInstruction& raw, LegacyPrefixes prefixes, u8 reg, u8 vvvv,
            u8 rm, bool force_rex);
// The forms without ModRM: `reg` replaces the register in the opcode, if there is one.
void encode_plain(Assembler& out, const RawInstruction& raw, LegacyPrefixes prefixes,
                  bool has_opcode_register, u8 reg, bool force_rex);

}  // namespace uchronia::cpu::jit
