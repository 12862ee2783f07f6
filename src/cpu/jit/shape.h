// What the translator knows of each row of the instruction table: how to translate it, which of
// its operands it writes, and how large its memory operand is.
//
// Made from the rows once. A row whose name says something that is not understood here is executed
// by its interpreter function (Kind::kHelper): always right, only slower.
#pragma once

#include "cpu/decode/encoding.h"
#include "cpu/jit/raw_instruction.h"

namespace uchronia::cpu::jit {

enum class Kind : u8 {
    kHelper,     // the interpreter's function, within the block
    kHelperEnd,  // the same; it ends the block
    kNative,     // encoded again with other registers
    kNothing,    // hints and fences
    kLEA,
    kPush,  // register or immediate
    kPushMemory,
    kPop,
    kLeave,
    kJump,
    kJumpIf,
    kJumpIndirect,
    kCall,
    kCallIndirect,
    kReturn,
    kClearInterrupts,
    kSwapGS,
    kMoveString,
    kStoreString,
    kSystem,     // system.cc: some system instructions, in the modes in which they are plain
    kPushFlags,  // the same
    kBitString,  // BT and its family with memory and a register; never a row's
};

enum class MemorySize : u8 {
    kNone,
    k1,
    k2,
    k4,
    k8,
    k16,
    k32,
    kOperand,         // by the operand size
    kOperandAtMost4,  // z
    kRexW,            // y: 8 with REX.W, else 4
    kVector,          // x: 16, or 32 with VEX.L
};

// What must hold before the native form may be used.
enum class Needs : u8 { kNothing, kSSE, kAVX, kV3 };

struct Shape {
    Kind kind = Kind::kHelper;
    Needs needs = Needs::kNothing;
    MemorySize memory = MemorySize::kNone;
    bool aligned = false;  // the memory operand must be aligned to its size
    bool writes_memory = false;
    bool writes_reg = false;  // ModRM.reg, or the register in the opcode byte
    bool writes_rm = false;   // ModRM.rm where it is a register
    bool writes_vvvv = false;
    bool uses_cl = false;
    bool uses_rcx = false;    // an implicit operand (CMPXCHG16B)
    bool writes_rcx = false;  // an implicit result (PCMPISTRI)
    bool writes_flags = false;
    bool register_only = false;  // a general register in ModRM.rm cannot become memory
    bool may_divide = false;     // can raise #DE on the host
    bool indexes_bits = false;   // BT with a register: memory beyond the operand
    RegisterClass reg = RegisterClass::kAbsent;
    RegisterClass rm = RegisterClass::kAbsent;
    RegisterClass vvvv = RegisterClass::kAbsent;
    MandatoryPrefix prefix = MandatoryPrefix::kAny;
    bool opcode_register = false;
};

const Shape& shape_of(Instruction instruction);

// In bytes; 0: there is no memory operand.
unsigned memory_size(const Shape& shape, const Decoded& decoded, const RawInstruction& raw);

// AH, CH, DH, BH: the numbers 4 to 7 without REX.
constexpr bool is_high_byte(RegisterClass c, u8 number, bool has_rex) {
    return c == RegisterClass::kByte && !has_rex && number >= 4 && number < 8;
}
constexpr bool is_general(RegisterClass c) {
    return c == RegisterClass::kGeneral || c == RegisterClass::kByte;
}

}  // namespace uchronia::cpu::jit
