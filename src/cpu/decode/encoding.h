// A row's encoding string and operand names (grammar: instruction.h), parsed once.
//
// This says how the bytes of an instruction are laid out and which registers they name. It knows
// nothing of what the instruction does.
//
// Source: APM vol. 3, 1 (instruction encoding) and appendix A (opcode and operand notation); vol.
// 4, 1.1.4 (VSIB).
#pragma once

#include <array>

#include "base/result.h"
#include "cpu/decode/instruction.h"

namespace uchronia::cpu {

// The maps of VEX opcodes are maps of their own: they have other rows.
enum class OpcodeMap : u8 { kOneByte, k0F, k0F38, k0F3A, kVEX0F, kVEX0F38, kVEX0F3A };
inline constexpr unsigned kOpcodeMapCount = 7;

// Which of 66, F2, F3 is part of the opcode. kAny: none is, and they keep their other meanings.
// kNoRepeat (NFx): 66 keeps its other meaning, F2 and F3 would be other instructions.
enum class MandatoryPrefix : u8 { kAny, kNone, k66, kF2, kF3, kNoRepeat };

// Of REX or VEX.
enum class RexW : u8 { kAny, k0, k1 };

// VEX.L of a row with VEX.
enum class VectorLength : u8 { kAny, k128, k256 };

// What the ModRM byte means to the row.
enum class ModRMUse : u8 {
    kAbsent,
    kRegister,  // /r
    kDigit,     // /0../7: part of the opcode
    kWhole,     // the whole byte is part of the opcode
};

enum class RMForm : u8 { kAny, kMemory, kRegister };

enum class ImmediateKind : u8 {
    kAbsent,
    kByte,
    kWord,
    kDword,
    kZ,         // 2 or 4 bytes by operand size
    kV,         // 2, 4 or 8 bytes by operand size
    kRegister,  // is4: a byte with a register in bits 4-7
    kRelativeByte,
    kRelativeZ,
    kAddress,  // moffs: as long as an address
};

// What a register field names, and so how Op holds it.
enum class RegisterClass : u8 {
    kAbsent,
    kGeneral,
    kByte,     // general, with AH..BH where there is no REX
    kVector,   // XMM, YMM
    kX87,      // x87 and MMX: three bits, REX is ignored
    kSegment,  // ES..GS; others are #UD
    kControl,  // CR0, CR2, CR3, CR4, CR8; others are #UD
    kDebug,    // DR0..DR7; others are #UD
};

struct Encoding {
    MandatoryPrefix prefix = MandatoryPrefix::kAny;
    RexW rex_w = RexW::kAny;
    VectorLength length = VectorLength::kAny;
    OpcodeMap map = OpcodeMap::kOneByte;
    u8 opcode = 0;
    bool opcode_register = false;  // +r: the three low bits of the opcode are a register
    ModRMUse modrm = ModRMUse::kAbsent;
    u8 modrm_value = 0;  // the digit, or the whole byte
    RMForm form = RMForm::kAny;
    bool mod_ignored = false;  // always the register form (MOV of control and debug registers)
    // If there are two (ENTER, far pointers), the second stands in Op::immediate directly above
    // the bytes of the first, and the first is not sign-extended.
    std::array<ImmediateKind, 2> immediates{};
    RegisterClass reg = RegisterClass::kAbsent;   // ModRM.reg, or the opcode's register
    RegisterClass rm = RegisterClass::kAbsent;    // ModRM.rm, where it is a register
    RegisterClass vvvv = RegisterClass::kAbsent;  // VEX.vvvv
    bool vsib = false;              // SIB.index is a vector register, and there must be a SIB byte
    bool ignores_66 = false;        // y-sized operands only: 66h does not change the operand size
    bool implicit_address = false;  // uses the address size without ModRM (strings, moffs, LOOP)
};

constexpr bool is_vex(OpcodeMap map) {
    return map >= OpcodeMap::kVEX0F;
}

// The parsed row, or an Error that quotes what the grammar does not know.
Result<Encoding> parse_encoding(const InstructionRow& row);

}  // namespace uchronia::cpu
