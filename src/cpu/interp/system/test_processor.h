// For the tests of this folder: one vCPU in long mode with a real MMU, 4 MiB of identity-mapped
// RAM, a GDT, an IDT and a TSS, and a platform that records what reaches it.
#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "cpu/interp/handlers.h"
#include "cpu/interp/system/segments.h"
#include "cpu/mmu/mmu.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

class TestMemory final : public PhysicalMemory {
  public:
    static constexpr u64 kPages = 1024;
    u64 page_count() const override { return kPages; }
    const u8* read_page(u64 page_number) override {
        return page_number < kPages ? bytes.data() + page_number * kPageSize : nullptr;
    }
    u8* write_page(u64 page_number) override {
        return page_number < kPages ? bytes.data() + page_number * kPageSize : nullptr;
    }

    std::vector<u8> bytes = std::vector<u8>(kPages * kPageSize);
};

class TestPlatform final : public Platform {
  public:
    u32 port_read(unsigned, u16 port, unsigned) override { return 0xa5000000u | port; }
    void port_write(unsigned, u16 port, unsigned, u32 value) override {
        port_writes.push_back({port, value});
    }
    u64 mmio_read(unsigned, u64, unsigned) override { return ~u64{0}; }
    void mmio_write(unsigned, u64, unsigned, u64) override {}
    bool msr_read(unsigned, u32 index, u64& value) override {
        if (index != kKnownMSR)
            return false;
        value = known_msr;
        return true;
    }
    bool msr_write(unsigned, u32 index, u64 value) override {
        if (index != kKnownMSR)
            return false;
        known_msr = value;
        return true;
    }
    u64 task_priority(unsigned) override { return priority; }
    void set_task_priority(unsigned, u64 value) override { priority = value; }
    bool interrupt_pending(unsigned) override { return interrupt; }
    u8 acknowledge_interrupt(unsigned) override {
        interrupt = false;
        return kInterruptVector;
    }
    u64 time_stamp(unsigned) override { return time; }
    u64 entropy() override { return 0x1122334455667788; }
    void hypercall(unsigned) override { ++hypercalls; }
    void pause(unsigned) override {}

    static constexpr u32 kKnownMSR = 0x1b;
    struct PortWrite {
        u16 port;
        u32 value;
        bool operator==(const PortWrite&) const = default;
    };
    std::vector<PortWrite> port_writes;
    static constexpr u8 kInterruptVector = 0x40;
    bool interrupt = false;
    u64 known_msr = 0, priority = 0, time = 1000;
    unsigned hypercalls = 0;
};

struct TestProcessor {
    // Guest-physical (and linear) layout.
    static constexpr u64 kGDT = 0x1000, kIDT = 0x2000, kTSS = 0x3000, kCode = 0x10000,
                         kHandler = 0x20000, kUserStack = 0x30000, kKernelStack = 0x40000,
                         kISTStack = 0x50000, kTables = 0x100000, kNotMapped = 0x380000;
    // As Linux has them.
    static constexpr u16 kKernelCS = 0x10, kKernelDS = 0x18, kUserDS = 0x2b, kUserCS = 0x33,
                         kTSSSelector = 0x40, kAbsentDS = 0x50, kLDTSelector = 0x58,
                         kCallGateSelector = 0x68;

    TestProcessor() : mmu(memory), cpu(0, mmu, platform) {
        mmu.add_vcpu(cpu);
        build_page_tables();
        build_descriptor_tables();
        CPUState& state = cpu.state;
        state.cr0 = cr0::kPE | cr0::kET | cr0::kNE | cr0::kWP | cr0::kAM | cr0::kPG;
        state.cr3 = kTables;
        state.cr4 = cr4::kPAE | cr4::kFSGSBASE | cr4::kOSFXSR;
        state.efer = efer::kLME | efer::kLMA | efer::kSCE | efer::kNXE;
        state.gdtr = {kGDT, 0x7f};
        state.idtr = {kIDT, 0xfff};
        state.tr = {kTSS, 0x67, kTSSSelector, Segment::kPresent | descriptor::kBusyTSS};
        store<u64>(kTSS + 4, kKernelStack);
        store<u64>(kTSS + 0x24, kISTStack);
        enter_kernel();
    }

    void enter_kernel() { enter(kKernelCS, 0, kKernelStack - 0x100); }
    void enter_user() { enter(kUserCS, kUserDS, kUserStack); }

    // Executes one instruction at kCode through the decoder, in a block of its own.
    void run(std::initializer_list<u8> bytes) {
        Decoded decoded;
        const std::vector<u8> code(bytes);
        cpu.exit = Exit::kNone;
        if (decode(code, CodeMode::k64, kCode & kPageMask, decoded) != DecodeStatus::kDone)
            return;
        instruction = decoded.instruction;
        cpu.state.rip = kCode;
        cpu.state.gpr[kPageBaseSlot] = kCode & ~kPageMask;
        ops[0] = decoded.op;
        ops[1] = {};
        ops[1].offset = static_cast<u16>(decoded.op.offset + decoded.op.length);
        ops[1].handler = [](VCPU& vcpu, const Op* op) { vcpu.state.rip = vcpu.address_of(op); };
        cpu.alone = true;
        handler_of(decoded)(cpu, ops.data());
        cpu.alone = false;
    }

    bool faulted(Vector vector, u32 error_code = 0) const {
        return cpu.exit == Exit::kFault && cpu.fault.vector == vector &&
               cpu.fault.error_code == error_code;
    }
    bool retired(u64 length) const {
        return cpu.exit == Exit::kNone && cpu.state.rip == kCode + length;
    }

    template <class T>
    void store(u64 address, T value) {
        std::memcpy(memory.bytes.data() + address, &value, sizeof value);
        mmu.page_written(address >> kPageBits, address & kPageMask, sizeof value);
    }
    template <class T>
    T load(u64 address) const {
        T value;
        std::memcpy(&value, memory.bytes.data() + address, sizeof value);
        return value;
    }

    void set_gate(u8 vector, u64 target, u16 attributes, unsigned ist = 0,
                  u16 selector = kKernelCS) {
        store<u64>(kIDT + 16u * vector, (target & 0xffff) | u64{selector} << 16 | u64{ist} << 32 |
                                            u64{attributes} << 40 |
                                            ((target >> 16) & 0xffff) << 48);
        store<u64>(kIDT + 16u * vector + 8, target >> 32);
    }
    static constexpr u16 kInterruptGate = 0x8e, kTrapGate = 0x8f, kUserGate = 0xee;

    TestMemory memory;
    TestPlatform platform;
    MMU mmu;
    VCPU cpu;
    std::array<Op, 2> ops{};
    Instruction instruction = Instruction::kUndefined;

  private:
    // As interp's handler_for, for this family only.
    static Handler handler_of(const Decoded& decoded) {
        struct Row {
            Instruction instruction;
            const HandlerSet* set;
        };
        static const Row kRows[] = {
#define INSTRUCTION(name, encoding, feature, attributes, host) {Instruction::name, &handler::name},
#include "cpu/decode/instructions_system.inc"
#undef INSTRUCTION
        };
        for (const Row& row : kRows) {
            if (row.instruction == decoded.instruction)
                return member_for(*row.set, decoded);
        }
        return [](VCPU& vcpu, const Op* op) { vcpu.raise(op, Vector::kUD); };
    }

    void enter(u16 code, u16 stack, u64 rsp) {
        const u16 dpl = code & kSelectorRPL;
        cpu.state.set_segment(
            kCS, {0, ~u32{0}, code, descriptor::with_dpl(descriptor::kFlatCode64, dpl)});
        cpu.state.set_segment(
            kSS, {0, ~u32{0}, stack, descriptor::with_dpl(descriptor::kFlatData, dpl)});
        cpu.state.gpr[kRSP] = rsp;
        cpu.state.rip = kCode;
        mmu.update_context(cpu);
    }

    // 4 KiB pages, user and writable, the first 4 MiB but kNotMapped's page.
    void build_page_tables() {
        constexpr u64 kFlags = 7;
        store<u64>(kTables, (kTables + 0x1000) | kFlags);
        store<u64>(kTables + 0x1000, (kTables + 0x2000) | kFlags);
        for (u64 i = 0; i < 2; ++i) {
            const u64 table = kTables + 0x3000 + i * kPageSize;
            store<u64>(kTables + 0x2000 + 8 * i, table | kFlags);
            for (u64 j = 0; j < 512; ++j) {
                const u64 address = (i * 512 + j) * kPageSize;
                store<u64>(table + 8 * j, address == kNotMapped ? 0 : address | kFlags);
            }
        }
    }

    void build_descriptor_tables() {
        store<u64>(kGDT + 0x10, 0x00af9b000000ffff);  // kernel code
        store<u64>(kGDT + 0x18, 0x00cf93000000ffff);  // kernel data
        store<u64>(kGDT + 0x20, 0x00cffb000000ffff);  // 32-bit user code
        store<u64>(kGDT + 0x28, 0x00cff2000000ffff);  // user data, not accessed
        store<u64>(kGDT + 0x30, 0x00affb000000ffff);  // user code
        store<u64>(kGDT + 0x40, 0x0000890000000067 | kTSS << 16);
        store<u64>(kGDT + 0x50, 0x00cf73000000ffff);  // data, absent
        store<u64>(kGDT + 0x58, 0x00008200600000ff);  // LDT at 0x6000
        store<u64>(kGDT + 0x68, 0x0000ec0000100000 | (kHandler & 0xffff) |
                                    (kHandler >> 16) << 48);  // call gate, DPL 3
        for (unsigned vector = 0; vector < 256; ++vector)
            set_gate(static_cast<u8>(vector), kHandler + 16 * vector, kInterruptGate);
    }
};

}  // namespace uchronia::cpu::interp
