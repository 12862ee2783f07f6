// For tests of vector instructions: a vCPU with one page of plain memory that runs single
// instructions. The page is only ever reached on the fast path, and the MMU never called.
#pragma once

#include <array>

#include "cpu/interp/handlers.h"
#include "cpu/interp/test_support/no_platform.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp::test_support {

class VectorMachine {
  public:
    static constexpr u64 kMemory = kPageSize;  // linear address of `memory`

    VectorMachine() : mmu(no_memory), cpu(0, mmu, no_platform) {
        entries[1].read = entries[1].write = reinterpret_cast<u64>(memory) - kMemory;
        cpu.tables[0] = cpu.tables[1] = entries.data();
        cpu.state.cr4 = cr4::kOSFXSR | cr4::kOSXMMEXCPT;
    }

    // Runs one instruction; cpu.exit tells how it ended.
    void run(const HandlerSet& set, const Decoded& decoded) {
        const bool in_memory = (decoded.op.flags & op_flag::kMemory) != 0;
        const bool wide = decoded.operand_size == 8;
        ops[0] = decoded.op;
        ops[0].handler = in_memory ? (wide ? set.mem64 : set.mem32) : wide ? set.reg64 : set.reg32;
        ops[1].handler = [](VCPU&, const Op*) {};
        cpu.exit = Exit::kNone;
        ops[0].handler(cpu, ops.data());
    }

    alignas(kPageSize) u8 memory[kPageSize] = {};
    std::array<TableEntry, 4> entries{};
    std::array<Op, 2> ops{};
    NoMemory no_memory;
    NoPlatform no_platform;
    MMU mmu;
    VCPU cpu;
};

// With AVX enabled, in 64-bit mode.
class AVXMachine : public VectorMachine {
  public:
    AVXMachine() {
        cpu.state.cr4 |= cr4::kOSXSAVE;
        cpu.state.xcr0 = 7;
        cpu.state.efer = efer::kLMA;
        cpu.state.segments[kCS].attributes = Segment::kLong;
    }
};

}  // namespace uchronia::cpu::interp::test_support
