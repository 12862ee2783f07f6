// For tests: one vCPU on sixteen pages of RAM, mapped one to one, that executes single instructions
// given as bytes. Every access takes either the fast path (the table has all pages) or the slow one
// (it has none), so that a test can compare the two.
#pragma once

#include <cstring>
#include <initializer_list>
#include <vector>

#include "base/check.h"
#include "cpu/decode/decoder.h"
#include "cpu/interp/handlers.h"
#include "cpu/interp/test_support/no_platform.h"
#include "cpu/mmu/half_table.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp::integer {

class FewPages final : public PhysicalMemory {
  public:
    static constexpr u64 kPages = 16;

    u64 page_count() const override { return kPages; }
    const u8* read_page(u64 page_number) override { return write_page(page_number); }
    u8* write_page(u64 page_number) override {
        return page_number < kPages ? bytes.data() + page_number * kPageSize : nullptr;
    }

    std::vector<u8> bytes = std::vector<u8>(kPages * kPageSize);
};

enum class Path : u8 { kFast, kSlow };

class TestMachine {
  public:
    // Instructions lie at kCode (their bytes are not in memory).
    static constexpr u64 kCode = 0x400000;

    explicit TestMachine(Path path, CPUModel model = CPUModel::kV3) : platform_(model) {
        mmu_.add_vcpu(cpu);
        for (u64 page = 0; path == Path::kFast && page < FewPages::kPages; ++page) {
            const u64 addend = reinterpret_cast<u64>(memory_.bytes.data());
            table_.entry_for_fill(page << kPageBits) = {addend, addend};
        }
        cpu.tables[0] = table_.entries();
        cpu.state.cr0 = cr0::kPE;
        cpu.state.rip = kCode;
    }

    // Runs one instruction; true if it retired, else the exit is in `cpu`. A fast path is only
    // there for the canonical lower 64 KiB: other addresses must not be in it.
    bool run(const HandlerSet& handlers, std::initializer_list<u8> bytes) {
        Decoded decoded;
        const std::vector<u8> code(bytes);
        CHECK(decode(code, CodeMode::k64, 0, decoded) == DecodeStatus::kDone);
        CHECK(decoded.instruction != cpu::Instruction::kUndefined);
        CHECK(decoded.op.length == bytes.size());
        Op end{};
        end.handler = [](VCPU& vcpu, const Op* op) { vcpu.state.rip = vcpu.address_of(op); };
        end.offset = decoded.op.length;
        const Op ops[2] = {decoded.op, end};
        cpu.state.gpr[kPageBaseSlot] = kCode;
        cpu.exit = Exit::kNone;
        member_for(handlers, decoded)(cpu, ops);
        return cpu.exit == Exit::kNone;
    }

    template <class T>
    T read(u64 address) const {
        T value;
        std::memcpy(&value, memory_.bytes.data() + address, sizeof value);
        return value;
    }
    template <class T>
    void write(u64 address, T value) {
        std::memcpy(memory_.bytes.data() + address, &value, sizeof value);
    }
    std::vector<u8>& memory() { return memory_.bytes; }
    u64& gpr(Register r) { return cpu.state.gpr[r]; }
    void set_flags(u64 rflags) { cpu.state.set_rflags(rflags); }
    u64 flags() const { return cpu.state.flags.to_rflags(); }

  private:
    FewPages memory_;
    test_support::NoPlatform platform_;
    MMU mmu_{memory_};
    HalfTable table_;

  public:
    VCPU cpu{0, mmu_, platform_};
};

}  // namespace uchronia::cpu::interp::integer
