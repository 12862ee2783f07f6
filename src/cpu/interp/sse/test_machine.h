// For the tests of this folder: a vCPU with one page of plain memory, and the family's rows.
#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "cpu/interp/sse/float_unit.h"

namespace uchronia::cpu::interp::sse {

struct FamilyRow {
    InstructionRow row;
    const HandlerSet* handlers;
};

inline std::vector<FamilyRow> family_rows() {
    using enum Feature;
    using enum HostPolicy;
    using attribute::kNone;
    return {
#define INSTRUCTION(name, encoding, feature, attributes, host) \
    {{#name, encoding, feature, attributes, host}, &handler::name},
#include "cpu/decode/instructions_mmx_sse.inc"
#undef INSTRUCTION
    };
}

// Memory that only ever takes the fast path: the MMU and the platform are never called.
class NoMemory final : public PhysicalMemory {
  public:
    u64 page_count() const override { return 0; }
    const u8* read_page(u64) override { return nullptr; }
    u8* write_page(u64) override { return nullptr; }
};

class NoPlatform final : public Platform {
  public:
    u32 port_read(unsigned, u16, unsigned) override { return 0; }
    void port_write(unsigned, u16, unsigned, u32) override {}
    u64 mmio_read(unsigned, u64, unsigned) override { return 0; }
    void mmio_write(unsigned, u64, unsigned, u64) override {}
    MSRResult msr_read(unsigned, u32, u64&) override { return false; }
    MSRResult msr_write(unsigned, u32, u64) override { return false; }
    u64 task_priority(unsigned) override { return 0; }
    void set_task_priority(unsigned, u64) override {}
    bool interrupt_pending(unsigned) override { return false; }
    u8 acknowledge_interrupt(unsigned) override { return 0; }
    u64 time_stamp(unsigned) override { return 0; }
    u64 entropy() override { return 0; }
    void hypercall(unsigned) override {}
};

class TestMachine {
  public:
    static constexpr u64 kOffset = 0x100, kAddress = kPageSize + kOffset;

    TestMachine() : mmu(no_memory), cpu(0, mmu, no_platform) {
        entries[1].read = entries[1].write = reinterpret_cast<u64>(memory) - kPageSize;
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

}  // namespace uchronia::cpu::interp::sse
