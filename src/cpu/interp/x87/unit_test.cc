// The exception protocol: #NM, pending #MF, which instructions wait, what a fault leaves alone, and
// the error pointers.
#include "cpu/interp/x87/unit.h"

#include <gtest/gtest.h>

#include "cpu/interp/x87/test_machine.h"

namespace uchronia::cpu::interp::x87 {
namespace {

bool is_state_save(std::string_view name) {
    return name.starts_with("X") || name.starts_with("FXSAVE") || name.starts_with("FXRSTOR");
}

// Those that do not look at pending exceptions.
bool waits(std::string_view name) {
    return !name.starts_with("FN") || name == "FNOP";
}

Op op_for(const FamilyRow& row) {
    return row.row.encoding.ends_with("mem") ? TestMachine::memory_op()
                                             : TestMachine::register_op();
}

TEST(Unit, NotAvailable) {
    for (const u64 bit : {cr0::kTS, cr0::kEM}) {
        for (const FamilyRow& row : test_support::rows::x87()) {
            if (row.row.name.starts_with("X") || (row.row.name == "FWAIT" && bit == cr0::kEM))
                continue;
            TestMachine machine;
            machine.cpu.state.cr0 |= bit;
            machine.run(*row.handlers, op_for(row));
            EXPECT_EQ(machine.cpu.exit, Exit::kFault) << row.row.name;
            EXPECT_EQ(machine.cpu.fault.vector, Vector::kNM) << row.row.name;
        }
    }
}

TEST(Unit, PendingExceptionIsReportedByWaitingInstructions) {
    for (const FamilyRow& row : test_support::rows::x87()) {
        if (is_state_save(row.row.name))
            continue;
        TestMachine machine;
        machine.x87().control = 0x37e;
        machine.x87().status = exception::kInvalid;
        update_summary(machine.x87());
        machine.run(*row.handlers, op_for(row));
        if (waits(row.row.name)) {
            EXPECT_EQ(machine.cpu.exit, Exit::kFault) << row.row.name;
            EXPECT_EQ(machine.cpu.fault.vector, Vector::kMF) << row.row.name;
        } else {
            EXPECT_EQ(machine.cpu.exit, Exit::kNone) << row.row.name;
        }
    }
}

// Instructions with a memory operand must leave the unit alone if the access faults.
TEST(Unit, FaultingAccessLeavesNoTrace) {
    for (const FamilyRow& row : test_support::rows::x87()) {
        if (!row.row.encoding.ends_with("mem") || is_state_save(row.row.name))
            continue;
        TestMachine machine;
        machine.x87().empty = 0;
        machine.x87().registers[0] = {kIntegerBit | 12345, 0x3fff};
        const X87State before = machine.x87();
        machine.cpu.state.gpr[kRDX] = u64{1} << 63;  // not canonical: #GP without any page
        machine.run(*row.handlers, op_for(row));
        EXPECT_EQ(machine.cpu.exit, Exit::kFault) << row.row.name;
        EXPECT_EQ(std::memcmp(&machine.x87(), &before, sizeof before), 0) << row.row.name;
    }
}

TEST(Unit, UnmaskingMakesAFlagPending) {
    TestMachine machine;
    machine.x87().status = exception::kZeroDivide;
    machine.memory[0] = 0x7b;
    machine.memory[1] = 3;
    machine.run(handler::FLDCW_m16, TestMachine::memory_op());
    EXPECT_NE(machine.x87().status & status::kSummary, 0);
    EXPECT_NE(machine.x87().status & status::kBusy, 0);
    machine.run(handler::FNCLEX, TestMachine::register_op());
    EXPECT_EQ(machine.x87().status, 0);
}

TEST(Unit, ErrorPointers) {
    TestMachine machine;
    machine.cpu.state.gpr[kPageBaseSlot] = 0x401000;
    Op op = TestMachine::memory_op(0x40);
    op.offset = 0x23;
    op.immediate = 0x142;
    machine.run(handler::FLD_m64, op);
    EXPECT_EQ(machine.x87().instruction, 0x401023u);
    EXPECT_EQ(machine.x87().data, TestMachine::kMemory + 0x40);
    EXPECT_EQ(machine.x87().opcode, 0x142);
    machine.run(handler::FNSTSW_AX, TestMachine::register_op());
    EXPECT_EQ(machine.x87().instruction, 0x401023u);
    EXPECT_EQ(machine.cpu.state.gpr[kRAX], machine.x87().status);
}

TEST(Unit, DecoderKeepsTheOpcode) {
    Decoded decoded;
    const u8 fld[] = {0xdd, 0x42, 0x40}, fsin[] = {0xd9, 0xfe};
    ASSERT_EQ(decode(fld, CodeMode::k64, 0, decoded), DecodeStatus::kDone);
    EXPECT_EQ(decoded.op.immediate, 0x542u);
    ASSERT_EQ(decode(fsin, CodeMode::k64, 0, decoded), DecodeStatus::kDone);
    EXPECT_EQ(decoded.op.immediate, 0x1feu);
}

// Every row is compared with the host, or has its own test.
TEST(Unit, EveryRowHasATest) {
    for (const FamilyRow& row : test_support::rows::x87()) {
        const HostPolicy host = row.row.host;
        const bool compared = host == HostPolicy::kSame || host == HostPolicy::kUndefinedFlags ||
                              host == HostPolicy::kTranscendental;
        const std::string_view name = row.row.name;
        const bool saved = is_state_save(name) || name == "FNSTENV_m" || name == "FLDENV_m" ||
                           name == "FNSAVE_m" || name == "FRSTOR_m";  // state_save_test.cc
        EXPECT_TRUE(compared || saved) << name;
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp::x87
