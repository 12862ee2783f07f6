// The instruction table: the one list of instruction forms, from which the decoder, the engines'
// handler tables and the tests are made.
//
// The rows stand in instructions_*.inc, one file for each family, as
//
//     INSTRUCTION(ADD_Ev_Gv, "01 /r", kBase, kLockable, kSame)
//
// name       MNEMONIC_operand_operand in the notation of the opcode maps (APM vol. 3, appendix A):
//            the letter is the addressing form, the rest the size. E rm: general or memory; G reg:
//            general; M memory only; R rm: general register only; V reg: XMM; W rm: XMM or memory;
//            U rm: XMM register only; P/Q/N the same for MMX; S segment register; C, D control and
//            debug register; I immediate; J relative branch; O moffs; Z register in the opcode
//            byte; X, Y string operands. Sizes: b w d q, v (16/32/64 by operand size), z (16/32,
//            and 32 for 64), y (32/64), dq, ps, pd, ss, sd, ... H vector
//            register in VEX.vvvv; B general register in VEX.vvvv; L vector register in bits 4-7
//            of the immediate (is4); vm32x, vm32y, vm64x, vm64y memory with a vector of indices
//            (VSIB). Fixed registers by name: AL, eAX, rAX, CL, DX, ST0, 1. A name ends in _m or
//            _r where memory and register forms are two different rows, and in _128 or _256 where
//            both vector lengths are.
// encoding   as the manuals write it: bytes in hex, a mandatory prefix first (66, F2, F3, NP for
//            "none of these", NFx for "neither F2 nor F3"), then REX.W (or REX.W0) if it selects
//            the instruction, opcode bytes, then /r or /0../7, then "mem" or "reg" if only that
//            form exists; +r for a register in the opcode byte; immediates ib, iw, iz (16/32), iv
//            (16/32/64: MOV only), id; cb, cz for branches; moffs. A whole ModRM byte can be given
//            as a hex byte ("0F 01 D9"). Rows with VEX begin with VEX.<L>.<pp>.<map>.<W> and the
//            opcode byte, as in "VEX.256.66.0F.WIG 58 /r": L is 128, 256, LIG (ignored) or LZ (must
//            be 0), pp is NP, 66, F2 or F3, map is 0F, 0F38 or 0F3A, W is W0, W1 or WIG. After
//            them, "is4" is an immediate byte that names a register. A row without H or B is #UD
//            unless VEX.vvvv is 1111b.
// feature    the CPUID feature that it belongs to; #UD where the model lacks it.
// attributes kEnd, kAlone, ... below, joined with |.
// host       whether the host CPU may execute it for the guest (D8).
#pragma once

#include <string_view>

#include "base/types.h"

namespace uchronia::cpu {

enum class Feature : u8 {
    kBase,
    kCMOV,
    kFPU,
    kMMX,
    kSSE,
    kSSE2,
    kSSE3,
    kSSSE3,
    kSSE41,
    kSSE42,
    kPOPCNT,
    kCX16,
    kAES,
    kPCLMULQDQ,
    kXSAVE,
    kXSAVEOPT,
    kFXSR,
    kRDRAND,
    kRDSEED,
    kRDTSCP,
    kFSGSBASE,
    kSMAP,
    kSYSCALL,
    kCLFLUSH,
    kCLFLUSHOPT,
    kCLWB,
    kLAHF,
    kPREFETCHW,
    kAVX,
    kAVX2,
    kFMA,
    kF16C,
    kBMI1,
    kBMI2,
    kLZCNT,
    kMOVBE,
};

namespace attribute {
inline constexpr u16 kNone = 0;
inline constexpr u16 kEnd = 1;        // ends a block: changes RIP, or state that decoding needs
inline constexpr u16 kAlone = 2;      // a block of its own: needs the exact tick, or has effects
                                      // that must be seen before the next instruction
inline constexpr u16 kLockable = 4;   // LOCK allowed with a memory destination
inline constexpr u16 kDefault64 = 8;  // operand size 64 in 64-bit mode unless 66h (PUSH, POP)
inline constexpr u16 kForce64 = 16;   // operand size 64 in 64-bit mode always (near branches)
inline constexpr u16 kRepeat = 32;    // F3 (and F2 where kRepeatCondition) repeat it
inline constexpr u16 kRepeatCondition = 64;  // CMPS, SCAS: F3 and F2 are REPE and REPNE
inline constexpr u16 kInvalid64 = 128;       // #UD in 64-bit mode
inline constexpr u16 kPrivileged = 256;      // #GP(0) if CPL > 0 (checked by the handler)
inline constexpr u16 kNoSIMDPrefix = 512;    // 66, F2, F3 are not part of the opcode (ignored)
}  // namespace attribute

// Whether the host CPU may execute the instruction for the guest, and if not, why (D8).
enum class HostPolicy : u8 {
    kSame,             // all results defined, and equal on all vendors
    kUndefinedFlags,   // the result is defined, some flags are not: needs the canon's flags
    kUndefinedResult,  // a destination is undefined for some inputs (BSF of 0)
    kNaNChoice,        // defined but for which of several NaNs is the result
    kApproximate,      // RCPPS and the like: the manuals only bound the error
    kTranscendental,   // x87 functions that vendors compute differently
    kState,            // reads or writes state that is not the guest's on the host (XSAVE, FXSAVE)
    kIdentity,         // answers differ by CPU model (CPUID)
    kTime,             // reads time
    kEntropy,          // reads randomness
    kPrivilegedState,  // system instruction
    kControl,          // branches: the engine's own business
    kFaulting,         // exists to raise an exception
};

enum class Instruction : u16 {
    kUndefined,  // #UD
#define INSTRUCTION(name, encoding, feature, attributes, host) name,
#include "cpu/decode/instructions.inc"
#undef INSTRUCTION
    kCount,
};

struct InstructionRow {
    std::string_view name;
    std::string_view encoding;
    Feature feature;
    u16 attributes;
    HostPolicy host;
};

// The row of an instruction; row 0 is kUndefined.
const InstructionRow& row_of(Instruction instruction);

}  // namespace uchronia::cpu
