// What an instruction can see and change in user mode, in the form that both the host CPU and the
// interpreter are loaded from, and the layout of the memory that they share.
#pragma once

#include <array>
#include <cstddef>

#include "base/types.h"

namespace uchronia::witness {

// Linear addresses, the same on the host and in the guest.
//
// The data pages: kWritablePages that can be written, one that can only be read, then nothing.
inline constexpr u64 kData = 0x10000000;
inline constexpr u64 kWritablePages = 3;
inline constexpr u64 kWritableBytes = kWritablePages * kPageSize;
inline constexpr u64 kReadOnlyPage = kData + kWritableBytes;
inline constexpr u64 kUnmappedPage = kReadOnlyPage + kPageSize;
// The one code page: breakpoints, but for the instruction.
inline constexpr u64 kCode = 0x20000000;
inline constexpr u64 kGSBase = 0x12340;

// The image of FXSAVE64 (APM vol. 2, 11.4.4).
struct alignas(16) FXImage {
    struct Register {
        u64 mantissa = 0;
        u16 exponent = 0;
        u8 unused[6] = {};
    };
    u16 fcw = 0x37f;
    u16 fsw = 0;
    u8 ftw = 0;  // one bit a physical register: 1 = in use
    u8 unused = 0;
    u16 fop = 0;
    u64 fip = 0;
    u64 fdp = 0;
    u32 mxcsr = 0x1f80;
    u32 mxcsr_mask = 0xffff;
    std::array<Register, 8> st{};  // by stack position
    std::array<std::array<u64, 2>, 16> xmm{};
    u8 rest[96] = {};
};
static_assert(sizeof(FXImage) == 512);

// The upper halves of YMM0-YMM15; zeros, and not compared, on a host without AVX.
using UpperHalves = std::array<std::array<u64, 2>, 16>;

struct State {
    std::array<u64, 16> gpr{};
    u64 rflags = 0x202;
    u64 rip = 0;
    FXImage fx;
    UpperHalves upper{};
};

struct Outcome {
    State state;  // after the instruction, or at its fault
    bool faulted = false;
    u8 vector = 0;
    u32 error_code = 0;
    u64 fault_address = 0;  // of #PF
};

}  // namespace uchronia::witness
