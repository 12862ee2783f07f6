#include "profile/orc.h"

#include <gtest/gtest.h>

#include "profile/testing.h"

namespace uchronia::profile {
namespace {

using testing::Builder;

constexpr u64 kStack = 0x8000, kTables = 0x8000;

// As Linux 6.1 has it.
ORCLayout layout() {
    return {.entry_size = 6,
            .sp_offset = 0,
            .bp_offset = 2,
            .sp_register = {32, 4},
            .bp_register = {36, 4},
            .type = {40, 2},
            .end = BTF::Member{42, 1}};
}

u64 entry(i16 sp_offset, i16 bp_offset, u64 sp_register, u64 bp_register, u64 type, u64 end) {
    return (static_cast<u64>(sp_offset) & 0xffff) | (static_cast<u64>(bp_offset) & 0xffff) << 16 |
           sp_register << 32 | bp_register << 36 | type << 40 | end << 42;
}
constexpr u64 kSP = 5, kBP = 4, kPreviousSP = 1, kUndefined = 0, kSPIndirect = 9;
constexpr u64 kCall = 0, kRegisters = 1;

Registers on_stack() {
    Registers registers;
    registers.gpr[cpu::kRSP] = kStack;
    registers.gpr[cpu::kRBP] = kStack + 16;
    return registers;
}

testing::FlatView words(const std::vector<u64>& values) {
    Builder bytes;
    for (const u64 value : values)
        bytes.add(value);
    return testing::FlatView(kStack, bytes.bytes);
}

TEST(ORC, StepsToTheCaller) {
    testing::FlatView view = words({0x11, 0x22, 0x33, 0x44, 0x55});
    Registers registers = on_stack();
    bool user = true;
    // The frame ends at RSP + 16; RBP is saved 16 below its end.
    ASSERT_EQ(
        step_by_orc(view, layout(), entry(16, -16, kSP, kPreviousSP, kCall, 0), registers, user),
        KernelStep::kCall);
    EXPECT_EQ(registers.rip, 0x22u);
    EXPECT_EQ(registers.gpr[cpu::kRSP], kStack + 16);
    EXPECT_EQ(registers.gpr[cpu::kRBP], 0x11u);
    EXPECT_FALSE(user);

    registers = on_stack();
    ASSERT_EQ(step_by_orc(view, layout(), entry(16, 0, kBP, kUndefined, kCall, 0), registers, user),
              KernelStep::kCall);
    EXPECT_EQ(registers.rip, 0x44u);
    EXPECT_EQ(registers.gpr[cpu::kRBP], kStack + 16);
}

TEST(ORC, StepsOverInterrupts) {
    std::vector<u64> saved(21);
    saved[4] = 0xb9;     // RBP
    saved[16] = 0x1234;  // RIP
    saved[17] = 0x33;    // CS of a program
    saved[19] = 0x5678;  // RSP
    testing::FlatView view = words(saved);
    Registers registers = on_stack();
    bool user = false;
    ASSERT_EQ(
        step_by_orc(view, layout(), entry(0, 0, kSP, kUndefined, kRegisters, 0), registers, user),
        KernelStep::kSignal);
    EXPECT_TRUE(user);
    EXPECT_EQ(registers.rip, 0x1234u);
    EXPECT_EQ(registers.gpr[cpu::kRSP], 0x5678u);
    EXPECT_EQ(registers.gpr[cpu::kRBP], 0xb9u);
}

TEST(ORC, EndsWhereTheTableSaysSoOrMakesNoSense) {
    testing::FlatView view = words({0x11});
    bool user = false;
    for (const u64 raw : {entry(8, 0, kSP, kUndefined, kCall, 1), entry(8, 0, 15, 0, kCall, 0),
                          entry(800, 0, kSP, kUndefined, kCall, 0),
                          entry(0, 0, kSPIndirect, 15, kCall, 0), ~u64{0}}) {
        Registers registers = on_stack();
        EXPECT_EQ(step_by_orc(view, layout(), raw, registers, user), KernelStep::kEnd);
    }
}

TEST(ORCTable, FindsTheEntryOfAnAddress) {
    Builder bytes;
    bytes.add(i32{0x100}).add(i32{0x200 - 4});  // 0x8100, 0x8200
    bytes.add(u32{1}).add(u16{2}).add(u32{3}).add(u16{4});
    testing::FlatView view(kTables, bytes.bytes);
    const ORCTable table = ORCTable::read(view, layout(), kTables, kTables + 8, 2);
    EXPECT_EQ(table.find(0x80ff), std::nullopt);
    EXPECT_EQ(table.find(0x8100), (u64{2} << 32) | 1);
    EXPECT_EQ(table.find(0x81ff), (u64{2} << 32) | 1);
    EXPECT_EQ(table.find(0x8200), (u64{4} << 32) | 3);
    EXPECT_EQ(ORCTable::read(view, layout(), kTables, kTables + 8, 3).find(0x8200), std::nullopt);
}

}  // namespace
}  // namespace uchronia::profile
