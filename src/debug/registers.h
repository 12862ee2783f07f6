// A thread's registers as gdb is told of them: by a target description, and as bytes in its order.
//
// Source: the gdb manual, appendix G (target descriptions), its features for i386 and x86-64.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "cpu/state.h"
#include "debug/guest_tasks.h"

namespace uchronia::debug {

struct RegisterValues {
    std::array<u64, 16> gpr{};  // by cpu::Register
    u64 rip = 0, rflags = 0;
    std::array<u16, 6> selectors{};  // by cpu::SegmentRegister
    // As FXSAVE and the AVX part of XSAVE have them (APM vol. 2, 11.4).
    std::array<u8, 512> legacy{};
    std::array<u8, 256> upper{};
    u64 orig_rax = ~u64{0};
    u64 fs_base = 0, gs_base = 0;
    u64 cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, cr8 = 0, efer = 0;
};

// Of a vCPU, all of them.
RegisterValues registers_of(const cpu::CPUState& state, u64 task_priority);
// Puts in place of the general ones what the kernel saved of user mode.
void set_saved(RegisterValues& values, const SavedRegisters& saved);
// The vector registers of an XSAVE area.
void set_vectors(RegisterValues& values, std::span<const u8> area);

// The bytes of all registers in the description's order.
std::vector<u8> register_bytes(const RegisterValues& values);
// Where a register lies in them; none: an empty range.
struct RegisterPlace {
    std::size_t offset = 0, size = 0;
};
RegisterPlace register_place(std::size_t number);
std::string target_description();

}  // namespace uchronia::debug
