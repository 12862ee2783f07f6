// The guest of the random programs: which physical pages hold what, and where they are mapped.
#pragma once

#include "base/types.h"

namespace uchronia::random {

inline constexpr u64 kMemorySize = u64{2} << 20;

// Physical pages, by number. Mapped one to one at the bottom (user) and at kHigh (supervisor).
namespace page {
inline constexpr u64 kGDT = 1, kIDT = 2, kTSS = 3, kRoot = 4, kOtherRoot = 5, kPointersLow = 6,
                     kDirectoryLow = 7, kTableLow = 8, kTableAlias = 9, kPointersEdge = 10,
                     kDirectoryEdge = 11, kTableEdge = 12, kPointersHigh = 13, kDirectoryHigh = 14,
                     kTableHigh = 15, kTableHighAlias = 16, kPointersTop = 17, kDirectoryTop = 18,
                     kTableTop = 19;
inline constexpr u64 kFirstTable = kRoot, kTableEnd = 20;
inline constexpr u64 kCode = 20, kCodeCount = 8, kHandlers = 28, kVariables = 29;
inline constexpr u64 kData = 32, kDataCount = 16, kStack = 48, kStackEnd = 52;
}  // namespace page

inline constexpr u64 kHigh = 0xffff'8000'0000'0000;    // the lowest address of the upper half
inline constexpr u64 kKernel = 0xffff'ffff'c000'0000;  // the same, where kernels use to lie
inline constexpr u64 kAlias = 0x20'0000;               // of pages in no order, with all permissions
inline constexpr u64 kAliasCount = 64;
inline constexpr u64 kLowEnd = 0x8000'0000'0000;  // not canonical; the pages below it are mapped
inline constexpr u64 kEdgeCount = 4;              // and the topmost ones of the upper half, too
inline constexpr u64 kGoodStack = (page::kStack << kPageBits) | 0xc00;

// In page::kVariables.
inline constexpr u64 kCounter = 0, kStackVariable = 8, kCallCounter = 16, kGoodMXCSR = 24,
                     kRecoveries = 0x100, kRecoveryCount = 64;

// Selectors in the GDT (as SYSCALL and SYSRET want them).
inline constexpr u16 kKernelCode = 0x08, kKernelData = 0x10, kUserData = 0x1b, kUserCode = 0x23,
                     kTaskState = 0x28;

}  // namespace uchronia::random
