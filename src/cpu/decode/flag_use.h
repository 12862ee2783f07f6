// Which arithmetic flags an instruction depends on, and which it overwrites.
//
// Made from the rows of the instruction table by mnemonic. It states what the interpreter does,
// with its canon for undefined flags: a flag that the canon leaves alone is not killed. The test
// runs every row through its handler and compares. What the table does not know reads all flags.
//
// Flags in registers that an instruction loads as a whole (SYSCALL saves them, INT pushes them)
// count as read. An exception or interrupt is no use by the instruction: the image in its frame
// obeys the rule of docs/decisions/0010.
#pragma once

#include "cpu/decode/decoder.h"
#include "cpu/decode/instruction.h"
#include "cpu/state.h"

namespace uchronia::cpu {

// Sets of arithmetic flags, in the order of their RFLAGS bits.
namespace flag {
inline constexpr u8 kNone = 0;
inline constexpr u8 kCF = 1u << 0;
inline constexpr u8 kPF = 1u << 1;
inline constexpr u8 kAF = 1u << 2;
inline constexpr u8 kZF = 1u << 3;
inline constexpr u8 kSF = 1u << 4;
inline constexpr u8 kOF = 1u << 5;
inline constexpr u8 kAll = 63;
}  // namespace flag
inline constexpr u8 kAllFlags = flag::kAll;

// A set as the bits that ArithmeticFlags has.
constexpr u16 arithmetic_bits(u8 flags) {
    using A = ArithmeticFlags;
    const auto bit = [flags](u8 flag, u16 value) { return (flags & flag) != 0 ? value : u16{0}; };
    return static_cast<u16>(bit(flag::kCF, A::kCF) | bit(flag::kPF, A::kPF) |
                            bit(flag::kAF, A::kAF) | bit(flag::kZF, A::kZF) |
                            bit(flag::kSF, A::kSF) | bit(flag::kOF, A::kOF));
}

struct FlagUse {
    u8 reads = flag::kNone;  // its outcome (registers, memory, RIP, other flags) depends on these
    u8 kills = flag::kNone;  // if it completes, these do not depend on what they were

    bool operator==(const FlagUse&) const = default;
};

// `op` as decode() made it (id, immediate, flags). kUndefined reads all flags.
FlagUse flag_use(const Op& op);
inline FlagUse flag_use(const Decoded& decoded) {
    return flag_use(decoded.op);
}

}  // namespace uchronia::cpu
