// Where translated code finds things: offsets from the CPUState, to which rsp points.
#pragma once

#include <cstddef>

#include "cpu/jit/assembler.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::jit::frame {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
inline constexpr i32 kFrame = offsetof(VCPU, translation);
inline constexpr i32 kBudget = offsetof(VCPU, budget);
static_assert(offsetof(VCPU, state) == 0);
#pragma GCC diagnostic pop

inline constexpr i32 kSystemFlags = offsetof(CPUState, system_flags);
inline constexpr i32 kKernelGSBase = offsetof(CPUState, kernel_gs_base);
inline constexpr i32 kGSBase =
    offsetof(CPUState, segments) + kGS * sizeof(Segment) + offsetof(Segment, base);
inline constexpr i32 kFlags = offsetof(CPUState, flags);
inline constexpr i32 kMXCSR = offsetof(CPUState, mxcsr);
inline constexpr i32 kVectors = offsetof(CPUState, vectors);
inline constexpr i32 kPageBase = offsetof(CPUState, gpr) + 8 * kPageBaseSlot;
inline constexpr i32 kSegmentBases = offsetof(CPUState, segment_base);

inline constexpr i32 kIndexMask = kFrame + offsetof(TranslatorFrame, index_mask);
inline constexpr i32 kLeaveStub = kFrame + offsetof(TranslatorFrame, leave_stub);
inline constexpr i32 kCrossStubs = kFrame + offsetof(TranslatorFrame, cross_stubs);
inline constexpr i32 kLinkKey = kFrame + offsetof(TranslatorFrame, link_key);
inline constexpr i32 kJumps = kFrame + offsetof(TranslatorFrame, jumps);
inline constexpr i32 kStackPage = kFrame + offsetof(TranslatorFrame, stack_page);
inline constexpr i32 kStackAddend = kFrame + offsetof(TranslatorFrame, stack_addend);
inline constexpr i32 kStackStub = kFrame + offsetof(TranslatorFrame, stack_stub);
inline constexpr i32 kStringStubs = kFrame + offsetof(TranslatorFrame, string_stubs);
inline constexpr i32 kSaved = kFrame + offsetof(TranslatorFrame, saved);
inline constexpr i32 kValue = kFrame + offsetof(TranslatorFrame, value);
inline constexpr i32 kHostStack = kFrame + offsetof(TranslatorFrame, host_stack);
inline constexpr i32 kHostMXCSR = kFrame + offsetof(TranslatorFrame, host_mxcsr);

inline constexpr i32 gpr(u8 guest) {
    return static_cast<i32>(offsetof(CPUState, gpr)) + 8 * guest;
}
inline constexpr Memory at(i32 offset) {
    return {.base = kHostRSP, .displacement = offset};
}

// The host register that holds a guest register, or kNoRegister for those in memory.
inline constexpr HostRegister kHome[16] = {
    kHostRAX,    kHostR10,    kHostRDX,    kHostRBX,    kHostR9,  kHostRBP, kHostRSI, kHostRDI,
    kNoRegister, kNoRegister, kNoRegister, kNoRegister, kHostR12, kHostR13, kHostR14, kHostR15};
inline constexpr HostRegister kBudgetRegister = kHostR8;
inline constexpr HostRegister kStackRegister = kHostR9;
inline constexpr HostRegister kScratch = kHostRCX;  // the address, in checks
inline constexpr HostRegister kScratch2 = kHostR11;

// The jump table: entries of 32 bytes, found by the low bits of the address.
inline constexpr u32 kJumpIndexBits = 14;
inline constexpr u32 kJumpCount = 1u << kJumpIndexBits;

}  // namespace uchronia::cpu::jit::frame
