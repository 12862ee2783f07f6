// How to make the canon's flags out of the host's, after an instruction whose flags the manuals
// leave undefined: for those rows where this is cheaper than the interpreter's function.
//
// It repeats what the handlers in interp/integer do; the test compares.
#pragma once

#include "cpu/decode/decoder.h"
#include "cpu/decode/flag_use.h"

namespace uchronia::cpu::jit {

// Sets of flags (flag_use.h) that the canon knows without the result.
struct FixUp {
    u8 kept = flag::kNone;                    // as before the instruction
    u8 set = flag::kNone;                     // 1
    u8 clear = flag::kNone;                   // 0
    bool overflow_is_sign_and_carry = false;  // OF = SF ^ CF

    u8 known() const {
        return kept | set | clear | (overflow_is_sign_and_carry ? flag::kOF : flag::kNone);
    }
};

FixUp fix_up_of(const Decoded& decoded);

// A shift or rotate by an immediate count of 0: it changes no flags, on any host.
bool is_shift_by_zero(const Decoded& decoded);

}  // namespace uchronia::cpu::jit
