// Which arithmetic flags may still matter at an instruction, by a fixed look ahead: the one
// function behind the rule that dead flags are zero at every stop (docs/decisions/0010).
//
// Pure: the result depends on the page's bytes, the offset and the mode only. It decides what
// guests see in exception frames and what is hashed, so any change of it changes histories.
//
// From `offset` it follows every way that execution can take within the page. A way goes on over
// plain instructions, over JMP to a relative target, and over Jcc with both outcomes. It ends
//   - before an instruction that is not wholly in the page, is undefined or is too long;
//   - after an instruction that ends a block (attribute::kEnd, kAlone), other than those two;
//   - at a target outside the page;
//   - after kMostInstructions instructions, and at the (kMostConditionals + 1)th Jcc, counted along
//     the way (not over all ways).
// A flag is dead if on each way an instruction kills it, and none before it (nor it) reads it.
//
// What this guarantees (monotonicity): if f is dead at S, it is dead at every instruction T that
// execution can reach from S before f is killed, as long as the page's bytes stay the same.
// Execution from S to T goes along a way of S: it can leave the ways of S only where one ends, and
// f has been killed before that. Each way of T, put behind that stretch, is a way of S, at least up
// to where f is killed, as S has counted at least as many instructions and conditionals at each
// place as T has. So f is killed on each way of T, unread, and nearer than for S. (That is why the
// limits count along the way: a limit for all ways together could be used up by one of S's other
// ways in one case and by T's own in another.) Stops in between, exceptions and interrupts
// included, come back to T, and may zero f there: nothing will notice.
#pragma once

#include <span>

#include "cpu/decode/flag_use.h"

namespace uchronia::cpu {

inline constexpr unsigned kMostScannedInstructions = 24;
inline constexpr unsigned kMostScannedConditionals = 2;
inline constexpr u64 kScannedLine = 64;  // bytes

struct LiveFlags {
    u8 live = kAllFlags;  // not proven dead
    // Bit n: bytes [64n, 64n+64) of the page were looked at. All else in it does not matter.
    u64 lines = 0;
};

LiveFlags live_flags(std::span<const u8, kPageSize> page, u16 offset, CodeMode mode);

}  // namespace uchronia::cpu
