// A guest for one instruction: a loop around a few bytes of code, with page tables for a user and a
// kernel, two address spaces, a kernel's entry for SYSCALL, and handlers that end the run.
//
// The loop counts in RBX. It ends with HLT, which is the end for a kernel and #GP for a user.
// All accessed and dirty bits are set from the beginning, so that only stores change memory.
#pragma once

#include <vector>

#include "tests/random/computer.h"

namespace uchronia::engines {

using Bytes = std::vector<u8>;

inline constexpr u64 kLoops = 6;

// Physical pages. Those of the user, and kLowCode, are mapped one to one in the lower half; all
// are in the upper half, at kKernelBase.
namespace page {
inline constexpr u64 kGDT = 1, kIDT = 2, kTSS = 3, kRoot = 4, kOtherRoot = 5, kPointers = 6,
                     kDirectory = 7, kTable = 8, kOtherPointers = 9, kOtherDirectory = 10,
                     kOtherTable = 11, kKernelPointers = 12, kKernelDirectory = 13,
                     kKernelTable = 14;
inline constexpr u64 kUserCode = 16, kOtherUserCode = 17, kEntry = 18, kHandlers = 19,
                     kKernelCode = 20, kLowCode = 21, kFunctions = 22, kFarFunctions = 23;
// Writable, its neighbour in memory, for reading only, not mapped.
inline constexpr u64 kData = 24, kNextData = 25, kReadOnly = 26, kAbsent = 27;
inline constexpr u64 kKernelData = 28, kUserStack = 32, kKernelStack = 34, kHandlerStack = 36;
inline constexpr u64 kCount = 40;
}  // namespace page

inline constexpr u64 kKernelBase = 0xffff'ffff'8000'0000;
inline constexpr u64 kHighAlias = 0xffff'807f'8000'0000;  // of kKernelBase, far from the top
inline constexpr u64 kEdge = 0x7fff'ffe0'0000;            // of the user's pages, below the boundary

constexpr u64 user(u64 page, u64 offset = 0) {
    return (page << kPageBits) + offset;
}
constexpr u64 kernel(u64 page, u64 offset = 0) {
    return kKernelBase + (page << kPageBits) + offset;
}
// An address of the upper half without its upper bits: those that look a page up are the same.
constexpr u64 not_canonical(u64 address) {
    return address & 0xffff'ffff'ffff;
}
// The entry for a user's page in the page table.
constexpr u64 entry_of(u64 page) {
    return kernel(page::kTable, 8 * page);
}
// Functions that both may call: CLI; and one that jumps to another page.
inline constexpr u64 kClearInterrupts = user(page::kFunctions);
inline constexpr u64 kJumpFar = user(page::kFunctions, 0x40);
// By which the loop counts down: a byte of code.
inline constexpr u64 kSubtrahend = kernel(page::kUserCode, 2);

// Selectors, as SYSCALL and SYSRET want them.
inline constexpr u16 kKernelCS = 0x08, kKernelSS = 0x10, kUserSS = 0x1b, kUserCS = 0x23,
                     kTaskState = 0x28;
inline constexpr u64 kSTAR = u64{kKernelCS} << 32 | u64{kUserSS - 8} << 48;
inline constexpr u64 kUsualMask =  // SFMASK, as kernels have it
    cpu::rflags::kArithmetic | cpu::rflags::kTF | cpu::rflags::kIF | cpu::rflags::kDF |
    cpu::rflags::kIOPL | cpu::rflags::kNT | cpu::rflags::kRF | cpu::rflags::kAC | cpu::rflags::kID;
inline constexpr u8 kInterrupt = 0x40;  // its handler returns, as that of #DB does

// Where the loop runs, and with what privilege.
enum class Place : u8 { kUser, kKernel, kKernelInLowerHalf };

// Memory and the state that the loop begins with; `entry` is what SYSCALL leads to.
random::Image make_guest(Place place, const Bytes& body, const Bytes& entry);

}  // namespace uchronia::engines
