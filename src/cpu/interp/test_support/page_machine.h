// For tests of single instructions: a vCPU with one page of plain memory. The page is only ever
// reached on the fast path, and the MMU never called.
#pragma once

#include <array>

#include "cpu/interp/handlers.h"
#include "cpu/interp/test_support/no_platform.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp::test_support {

class PageMachine {
  public:
    static constexpr u64 kMemory = kPageSize;  // linear address of `memory`

    PageMachine() : mmu(no_memory), cpu(0, mmu, platform) {
        entries[1].read = entries[1].write = reinterpret_cast<u64>(memory) - kMemory;
        cpu.tables[0] = cpu.tables[1] = entries.data();
    }

    // Runs one instruction; cpu.exit tells how it ended.
    void run(Handler handler, const Op& op) {
        ops[0] = op;
        ops[1].handler = [](VCPU&, const Op*) {};
        cpu.exit = Exit::kNone;
        handler(cpu, ops.data());
    }
    void run(const HandlerSet& set, const Decoded& decoded) {
        run(member_for(set, decoded), decoded.op);
    }

    alignas(kPageSize) u8 memory[kPageSize] = {};
    std::array<TableEntry, 4> entries{};
    std::array<Op, 2> ops{};
    NoMemory no_memory;
    NoPlatform platform;
    MMU mmu;
    VCPU cpu;
};

}  // namespace uchronia::cpu::interp::test_support
