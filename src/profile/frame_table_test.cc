#include "profile/frame_table.h"

#include <gtest/gtest.h>
#include <link.h>

#include <algorithm>

#include "host/files.h"
#include "profile/elf_file.h"
#include "profile/testing.h"

namespace uchronia::profile {
namespace {

using testing::Builder;

constexpr u64 kSection = 0x5000, kFunction = 0x1000, kFunctionSize = 0x100, kStack = 0x8000;

// A function that pushes RBP at its second byte, and one like an entry of the procedure linkage
// table, whose frame is told by an expression.
std::vector<u8> sample() {
    Builder common;
    common.add(u32{0}).add(u8{1}).text("zR").add(u8{1}).add(u8{0x78}).add(u8{16});
    common.add(u8{1}).add(u8{0x1b});                        // pointers: relative, 32 bits
    common.add(u8{0x0c}).add(u8{7}).add(u8{8});             // the frame is at RSP + 8
    common.add(u8{0x90}).add(u8{1}).add(u8{0}).add(u8{0});  // the return address 8 below
    Builder section;
    section.add(static_cast<u32>(common.size())).append(common.bytes);
    const auto add_function = [&](u64 address, const std::vector<u8>& instructions) {
        const u64 at = section.size();
        section.add(static_cast<u32>(4 + 4 + 4 + 1 + instructions.size()));
        section.add(static_cast<u32>(at + 4));
        section.add(static_cast<u32>(address - (kSection + section.size())));
        section.add(static_cast<u32>(kFunctionSize)).add(u8{0}).append(instructions);
    };
    // After one byte: the frame is at RSP + 16, RBP is saved 16 below it. After three more: RBP is
    // the base.
    add_function(kFunction, {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6});
    // RSP + 8 + ((RIP & 15) >= 11) * 8
    add_function(kFunction + kFunctionSize,
                 {0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22});
    section.add(u32{0});
    return section.bytes;
}

testing::FlatView stack(const std::vector<u64>& values) {
    Builder bytes;
    for (const u64 value : values)
        bytes.add(value);
    return testing::FlatView(kStack, bytes.bytes);
}

Registers registers_at(u64 rip) {
    Registers registers;
    registers.rip = rip;
    registers.gpr[cpu::kRSP] = kStack;
    registers.gpr[cpu::kRBP] = 0x77;
    return registers;
}

TEST(FrameTable, FollowsTheRulesUpToTheInstruction) {
    const std::vector<u8> section = sample();
    const FrameTable table(section, kSection);
    testing::FlatView view = stack({0x1111, 0x2222, 0x3333});
    FrameTable::Kind kind{};

    Registers registers = registers_at(kFunction);
    ASSERT_TRUE(table.step(view, kFunction, registers, kind));
    EXPECT_EQ(registers.rip, 0x1111u);
    EXPECT_EQ(registers.gpr[cpu::kRSP], kStack + 8);
    EXPECT_EQ(registers.gpr[cpu::kRBP], 0x77u);

    registers = registers_at(kFunction + 1);
    ASSERT_TRUE(table.step(view, kFunction + 1, registers, kind));
    EXPECT_EQ(registers.rip, 0x2222u);
    EXPECT_EQ(registers.gpr[cpu::kRBP], 0x1111u);

    registers = registers_at(kFunction + 4);
    registers.gpr[cpu::kRBP] = kStack + 8;
    ASSERT_TRUE(table.step(view, kFunction + 4, registers, kind));
    EXPECT_EQ(registers.rip, 0x3333u);
    EXPECT_EQ(registers.gpr[cpu::kRBP], 0x2222u);
    EXPECT_EQ(registers.gpr[cpu::kRSP], kStack + 24);
    EXPECT_EQ(kind, FrameTable::Kind::kCall);
}

TEST(FrameTable, EvaluatesExpressions) {
    const std::vector<u8> section = sample();
    const FrameTable table(section, kSection);
    testing::FlatView view = stack({0x1111, 0x2222});
    FrameTable::Kind kind{};
    const u64 entry = kFunction + kFunctionSize;
    Registers registers = registers_at(entry + 6);
    ASSERT_TRUE(table.step(view, entry + 6, registers, kind));
    EXPECT_EQ(registers.rip, 0x1111u);
    registers = registers_at(entry + 11);
    ASSERT_TRUE(table.step(view, entry + 11, registers, kind));
    EXPECT_EQ(registers.rip, 0x2222u);
}

TEST(FrameTable, KnowsNoOtherCode) {
    const std::vector<u8> section = sample();
    const FrameTable table(section, kSection);
    testing::FlatView view = stack({0x1111});
    FrameTable::Kind kind{};
    Registers registers = registers_at(0x10);
    EXPECT_FALSE(table.step(view, kFunction - 1, registers, kind));
    EXPECT_FALSE(table.step(view, kFunction + 2 * kFunctionSize, registers, kind));
    EXPECT_EQ(table.function_start(kFunction + 5), kFunction);
    // The stack is not there.
    registers = registers_at(kFunction);
    registers.gpr[cpu::kRSP] = 0;
    EXPECT_FALSE(table.step(view, kFunction, registers, kind));
    EXPECT_EQ(registers.rip, kFunction);
}

TEST(FrameTable, TakesAnyBytes) {
    testing::FlatView view = stack({0x1111, 0x2222, 0x3333});
    testing::damage(sample(), [&](const std::vector<u8>& section) {
        const FrameTable table(section, kSection);
        FrameTable::Kind kind{};
        for (u64 address = kFunction; address < kFunction + 2 * kFunctionSize; address += 3) {
            Registers registers = registers_at(address);
            (void)table.step(view, address, registers, kind);
        }
    });
}

// This program's own memory.
class OwnMemory final : public GuestView {
  public:
    bool translate(u64 address, u64& physical) override {
        physical = address;
        return address >= kPageSize;
    }
    bool read_physical(u64 physical, std::span<u8> bytes) override {
        std::memcpy(bytes.data(), reinterpret_cast<const void*>(physical), bytes.size());
        return true;
    }
};

[[gnu::noinline]] Registers present_registers() {
    Registers registers;
    asm volatile(
        "lea 0f(%%rip), %%rax\n mov %%rax, 128(%0)\n 0: mov %%rbx, 24(%0)\n mov %%rsp, 32(%0)\n"
        "mov %%rbp, 40(%0)\n mov %%r12, 96(%0)\n mov %%r13, 104(%0)\n mov %%r14, 112(%0)\n"
        "mov %%r15, 120(%0)"
        :
        : "r"(&registers)
        : "rax", "memory");
    return registers;
}

u64 own_bias() {
    u64 bias = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* result) {
            *static_cast<u64*>(result) = info->dlpi_addr;
            return 1;  // the first one is the program
        },
        &bias);
    return bias;
}

// What a compiler wrote: from the test's body out to main().
TEST(FrameTable, WalksThisProgramsOwnStack) {
    Result<std::vector<u8>> bytes = host::read_file("/proc/self/exe");
    ASSERT_TRUE(bytes.ok());
    const Result<ELFFile> file = ELFFile::parse(std::move(*bytes));
    ASSERT_TRUE(file.ok());
    const ELFFile::Section* const section = file->section(".eh_frame");
    ASSERT_NE(section, nullptr);
    const FrameTable table(file->contents(*section), section->address);
    const u64 bias = own_bias();
    OwnMemory view;
    Registers registers = present_registers();
    std::vector<std::string> names;
    FrameTable::Kind kind{};
    for (unsigned i = 0; i < 50; ++i) {
        const u64 address = registers.rip - 1 - bias;
        const Symbol* const symbol = file->symbols().find(address);
        names.push_back(symbol == nullptr ? "?" : demangled(symbol->name));
        // The frame that gave the registers is gone: the walk starts in the one that called it.
        if (names.back() == "main" || !table.step(view, address, registers, kind))
            break;
    }
    EXPECT_NE(std::find(names.begin(), names.end(), "main"), names.end())
        << ::testing::PrintToString(names);
}

}  // namespace
}  // namespace uchronia::profile
