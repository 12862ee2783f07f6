// What everyone who runs code agrees on: the engines with each other, and with the MMU.
#pragma once

#include "cpu/op.h"
#include "cpu/state.h"

namespace uchronia::cpu {

inline CodeMode code_mode(const CPUState& state) {
    const u16 attributes = state.segments[kCS].attributes;
    if ((state.efer & efer::kLMA) != 0 && (attributes & Segment::kLong) != 0)
        return CodeMode::k64;
    return (attributes & Segment::kBig) != 0 ? CodeMode::k32 : CodeMode::k16;
}

// Whether RIP is a linear address, and every one may be executed as far as CS is concerned: as in
// 64-bit mode, so in flat segments of compatibility mode.
inline bool has_flat_code(const CPUState& state) {
    return code_mode(state) == CodeMode::k64 ||
           (state.segments[kCS].base == 0 && state.segments[kCS].limit == ~u32{0});
}

// The linear address of an offset in CS.
inline u64 code_address(const CPUState& state, u64 offset) {
    return code_mode(state) == CodeMode::k64 ? offset
                                             : static_cast<u32>(state.segments[kCS].base + offset);
}

inline bool has_breakpoints(const CPUState& state) {
    return (state.dr7 & 0xff) != 0;
}

// Whether debug exceptions may come before or after the next instruction, or must not (RF).
inline bool has_traps(const CPUState& state) {
    return (state.system_flags & (rflags::kTF | rflags::kRF)) != 0 || has_breakpoints(state);
}

// Whether the next instruction must be run by itself, with checks before or after it.
inline bool needs_stepping(const CPUState& state) {
    return state.interrupt_shadow || has_traps(state);
}

// The 64-byte lines of a page that the bytes [offset, offset + size) of it touch: bit n = bytes
// [64n, 64n + 64). `size` is at least 1.
constexpr u64 lines_of(u64 offset, u64 size) {
    const u64 first = offset / 64;
    const u64 last = (offset + size - 1) / 64;
    return (~u64{0} << first) & (~u64{0} >> (63 - last));
}

}  // namespace uchronia::cpu
