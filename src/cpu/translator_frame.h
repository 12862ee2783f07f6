// What translated code finds beside the CPU state: pointers to stubs and tables, and scratch slots.
//
// Translated code addresses it relative to the CPU state, so nothing in that code depends on where
// a vCPU or a stub lies. Not state of the guest: never saved or hashed. Owned by cpu/jit.
#pragma once

#include <array>

#include "base/types.h"

namespace uchronia::cpu {

// A place of a table through which indirect branches go.
struct JumpEntry {
    u64 rip = 0;
    const void* code = nullptr;
};

// Not canonical, and with an addend of 0 no host address either.
inline constexpr u64 kNoStackPage = u64{1} << 62;

// What code is linked under and looked up with in an address space, a privilege and a mode.
struct PreparedKey {
    u64 fetch_key = 0;  // 0: none
    JumpEntry* jumps = nullptr;
    u32 mode = 0;
    u32 number = 0;
};

// What translated code uses all the time: it lies directly before the CPU state, so that both are
// near the host's stack pointer and a displacement of one byte reaches them.
struct TranslatorFrame {
    // Bits 12 to 47 of an address rotated right by 8: the offset of its entry in the FSPT.
    u64 index_mask = 0xff'ffff'fff0;
    const void* leave_stub = nullptr;  // to the engine, for the site whose number follows the call
    // For accesses of 2, 4, 8 bytes: do they cross pages?
    std::array<const void*, 3> cross_stubs{};
    // What links across pages and entries of jump tables are made under (a number, never 0): it
    // tells address spaces, privileges and modes apart.
    u32 link_key = 0;
    u32 mode = 0;                // what the present code was translated for
    JumpEntry* jumps = nullptr;  // the table for that key
    // The page of the stack that blocks with several stack accesses look at first: its guest
    // address and what leads to host memory. The address is one that no access can have, or the
    // page is plain writable memory now.
    u64 stack_page = kNoStackPage;
    u64 stack_addend = 0;
    const void* lookup_stub = nullptr;  // to rcx by the table, else as leave_stub
    u64 value = 0;                      // an operand that has to wait for a second check
    const void* spill_stub = nullptr;   // as leave_stub, for flags that are in the host's
};

// The rest.
struct TranslatorFarFrame {
    // MOVS of 1, 2, 4, 8 bytes, then STOS; and what they save.
    std::array<const void*, 8> string_stubs{};
    const void* stack_stub = nullptr;  // makes the page of rcx TranslatorFrame::stack_page
    std::array<u64, 4> saved{};
    u64 host_stack = 0;
    u32 host_mxcsr = 0x1f80;
    void* translator = nullptr;
    // RunClock of the present run, and its ticks plus what is left of the budget behind the
    // instruction that reads the time.
    u64 clock_start = 0;
    u64 clock_parts = 0;
    u64 clock_parts_of_tick = 0;
    u64 tick_base = 0;
    const void* time_stub = nullptr;
    // The last keys of user and kernel code, and when the translator began numbers anew.
    std::array<PreparedKey, 2> prepared_keys{};
    u32 key_beginnings = 0;
    u64 table_takeovers = 0;       // of jump tables, when these keys were prepared
    u64* present_table = nullptr;  // where it is noted what GS points to
    // SYSCALL and SYSRET; CLAC and STAC.
    const void* system_call_stub = nullptr;
    const void* system_return_stub = nullptr;
    std::array<const void*, 2> access_stubs{};
};

}  // namespace uchronia::cpu
