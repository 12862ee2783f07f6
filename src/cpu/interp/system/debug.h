// Debug registers: which breakpoints match, and how a match is reported in DR6.
//
// Pure functions over the state. The engine decides when to ask: it runs code with armed code
// breakpoints, or with RFLAGS.TF, one instruction at a time, and raises the single-step trap itself
// (report_debug with dr6::kBS, then deliver_fault with Vector::kDB and rip after the instruction).
// A code breakpoint is a fault before the instruction, and is suppressed while RFLAGS.RF is set;
// the engine clears RF when the instruction retires.
//
// Source: APM vol. 2, 13.1 (software debug).
#pragma once

#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

namespace dr6 {
inline constexpr u64 kMatches = 0xf;
inline constexpr u64 kBD = 1u << 13;  // access to a debug register while DR7.GD was set
inline constexpr u64 kBS = 1u << 14;  // single step
inline constexpr u64 kFixed = 0xffff0ff0;
inline constexpr u64 kWritable = kMatches | kBD | kBS | (1u << 15);
}  // namespace dr6

namespace dr7 {
inline constexpr u64 kEnables = 0xff;
inline constexpr u64 kGD = 1u << 13;
inline constexpr u64 kFixed = 0x400;
inline constexpr u64 kWritable = 0xffff23ff;
}  // namespace dr7

enum class BreakpointAccess : u8 { kExecute, kRead, kWrite, kPort };

// Whether any enabled breakpoint is of this kind of access.
bool breakpoints_armed(const CPUState& state, BreakpointAccess access);

// The DR6 bits (0-3) of the enabled breakpoints that `size` bytes at `address` touch; for kExecute,
// the address is the first byte of the instruction and the size is not looked at.
u64 breakpoints_hit(const CPUState& state, BreakpointAccess access, u64 address, u64 size);

// Records the cause of a #DB that is about to be delivered.
void report_debug(CPUState& state, u64 causes);

}  // namespace uchronia::cpu::interp
