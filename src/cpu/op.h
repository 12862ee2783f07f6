// A decoded instruction, as both engines keep it.
//
// 32 bytes, two to a cache line. It holds nothing that depends on where the page is mapped: code
// that is mapped at two addresses shares its Ops.
#pragma once

#include "base/types.h"

namespace uchronia::cpu {

class VCPU;
struct Op;

// Executes `op` and, unless it ends the block or faults, tail-calls the handler of op[1].
using Handler = void (*)(VCPU& cpu, const Op* op);

enum class CodeMode : u8 { k64, k32, k16 };

// Prefix and form bits of an Op.
namespace op_flag {
inline constexpr u8 kAddress32 = 1;  // 32-bit effective address
inline constexpr u8 kRep = 2;        // F3 where it is a repeat prefix
inline constexpr u8 kRepne = 4;      // F2 where it is a repeat prefix
inline constexpr u8 kLock = 8;
inline constexpr u8 kMemory = 16;  // ModRM.rm is a memory operand
inline constexpr u8 kRexW = 32;
inline constexpr u8 kOperand16 = 64;  // effective operand size is 16 bits
inline constexpr u8 kLegacy = 128;    // outside 64-bit mode; the address size is 16 bits if not 32
}  // namespace op_flag

struct Op {
    Handler handler;
    // Sign-extended to 64 bits; for relative branches: target minus page base. With VEX: bits 0-7
    // are the immediate byte, if there is one, and bits 8-15 the operand in VEX.vvvv.
    u64 immediate;
    i32 displacement;  // RIP-relative: already relative to the page base, base = kPageBaseSlot
    // Register operands as byte offsets into CPUState::gpr (8 * number; AH..BH are 1, 9, 17, 25) if
    // they are general registers, else the plain register number (XMM, MMX, x87, segment, CR, DR).
    u8 reg;      // ModRM.reg, or the register in the opcode byte (+r)
    u8 rm;       // ModRM.rm where it is a register
    u8 base;     // plain slot numbers of CPUState::gpr; kZeroSlot for none
    u8 index;    // with VSIB: number of a vector register, so that effective_address does not apply
    u8 scale;    // 0-3
    u8 segment;  // slot in CPUState::segment_base; kFlatSegment for none
    u8 flags;    // op_flag
    u8 length;   // bytes
    u16 offset;  // of the first byte in its page
    u16 id;      // cpu::Instruction
};
static_assert(sizeof(Op) == 32);

// The operand in VEX.vvvv (H: number of a vector register; B: byte offset of a general one).
inline u8 vex_vvvv(const Op* op) {
    return static_cast<u8>(op->immediate >> 8);
}
// The immediate byte of an instruction with VEX.
inline u8 vex_immediate(const Op* op) {
    return static_cast<u8>(op->immediate);
}
// The register that an is4 immediate names (L).
inline u8 vex_is4(const Op* op) {
    return static_cast<u8>((op->immediate >> 4) & 15);
}

}  // namespace uchronia::cpu
