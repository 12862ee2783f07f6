// The sixteen conditions of Jcc, SETcc and CMOVcc, numbered as in the low four bits of their
// opcodes (APM vol. 3, A.1, rFLAGS condition codes).
#pragma once

#include "cpu/state.h"

namespace uchronia::cpu::interp::integer {

enum class Condition : u8 {
    kO,
    kNO,
    kB,
    kNB,
    kZ,
    kNZ,
    kBE,
    kNBE,
    kS,
    kNS,
    kP,
    kNP,
    kL,
    kNL,
    kLE,
    kNLE
};

// The even condition of each pair; the odd one is its negation.
template <unsigned kPair>
[[gnu::always_inline]] inline bool pair_holds(u16 bits) {
    using F = ArithmeticFlags;
    constexpr u16 kAnyOf[] = {F::kOF, F::kCF, F::kZF, F::kCF | F::kZF, F::kSF, F::kPF, 0, F::kZF};
    bool holds = (bits & kAnyOf[kPair]) != 0;
    if constexpr (kPair >= 6)  // "less": SF differs from OF
        holds |= (((bits >> 15) ^ bits) & 1) != 0;
    return holds;
}

template <Condition C>
[[gnu::always_inline]] inline bool holds(ArithmeticFlags flags) {
    constexpr unsigned kNumber = static_cast<unsigned>(C);
    return pair_holds<kNumber / 2>(flags.bits) != ((kNumber & 1) != 0);
}

// What LOOP, LOOPZ and LOOPNZ want of ZF, beside a count that is not zero yet.
enum class LoopWhile : u8 { kAlways, kZero, kNotZero };

template <LoopWhile W>
inline bool loops(u64 count, ArithmeticFlags flags) {
    return count != 0 && (W == LoopWhile::kAlways || flags.zf() == (W == LoopWhile::kZero));
}

}  // namespace uchronia::cpu::interp::integer
