#include "cpu/interp/interpreter.h"

#include <gtest/gtest.h>

#include "cpu/interp/test_computer.h"

namespace uchronia::cpu::interp {
namespace {

constexpr u8 kHLT = 0xf4;

class InterpreterTest : public testing::Test {
  protected:
    static constexpr u64 kCode = TestProcessor::kCode;
    static constexpr u64 kData = 0x60000;
    TestComputer c;
};

TEST_F(InterpreterTest, RunsToTheBudgetOrTheHalt) {
    c.load_code(kCode, {0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0, kHLT});  // inc eax, three times
    RunResult result = c.run(2);
    EXPECT_EQ(result.stop, Stop::kBudget);
    EXPECT_EQ(result.ticks, 2u);
    EXPECT_EQ(c.gpr(kRAX), 2u);
    EXPECT_EQ(c.cpu.state.rip, kCode + 4);
    result = c.run(10);
    EXPECT_EQ(result.stop, Stop::kHalted);
    EXPECT_EQ(result.ticks, 2u);
    EXPECT_EQ(c.gpr(kRAX), 3u);
    EXPECT_TRUE(c.cpu.state.halted);
    EXPECT_EQ(c.run(10).ticks, 0u);
}

TEST_F(InterpreterTest, StoreIntoTheRunningBlock) {
    c.load_code(kCode, {0xc6, 0x05, 2, 0, 0, 0, 5,  // mov byte [rip + 2], 5: the 1 below
                        0x83, 0xc0, 1,              // add eax, 1
                        kHLT});
    c.run_from(kCode);
    EXPECT_EQ(c.gpr(kRAX), 5u);
}

TEST_F(InterpreterTest, LoopThatChangesItsOwnCode) {
    c.load_code(kCode, {0xb9, 100, 0, 0, 0,      // mov ecx, 100
                        0x88, 0x0d, 2, 0, 0, 0,  // mov [rip + 2], cl
                        0x83, 0xc0, 0,           // add eax, cl as it was stored
                        0xff, 0xc9,              // dec ecx
                        0x75, 0xf3,              // jnz -13
                        kHLT});
    const RunResult result = c.run_from(kCode);
    EXPECT_EQ(c.gpr(kRAX), 5050u);
    EXPECT_EQ(result.ticks, 1u + 4 * 100 + 1);
}

// The bytes that made an instruction too long count as its code.
TEST_F(InterpreterTest, StoreThatShortensAnInstructionThatWasTooLong) {
    constexpr u64 kStart = kCode + 60;  // 4 bytes before the next line
    std::vector<u8> code(15, 0x66);
    code.insert(code.end(), {0x90, kHLT});
    c.load_code(kStart, code);
    c.load_handler(static_cast<u8>(Vector::kGP), {kHLT});
    c.load_code(kData, {0xc6, 0x43, 0x0a, 0x90,  // mov byte [rbx + 10], nop
                        0xff, 0xe3});            // jmp rbx
    c.gpr(kRBX) = kStart;
    c.run_from(kStart);
    EXPECT_EQ(c.cpu.state.rip, TestProcessor::kHandler + 16 * 13 + 1);
    c.cpu.state.halted = false;
    c.run_from(kData);
    EXPECT_EQ(c.cpu.state.rip, kStart + 17);
}

// mov eax, imm32 with two bytes in one page and three in the next.
class CrossingTest : public InterpreterTest {
  protected:
    static constexpr u64 kSecond = TestProcessor::kNotMapped;
    static constexpr u64 kFirst = kSecond - 2;
};

TEST_F(CrossingTest, InstructionOverTwoPages) {
    constexpr u64 kStart = kCode + 2 * kPageSize - 2;
    c.load_code(kStart, {0xb8, 0x78, 0x56, 0x34, 0x12, kHLT});
    c.run_from(kStart);
    EXPECT_EQ(c.gpr(kRAX), 0x12345678u);
}

TEST_F(CrossingTest, StoreIntoTheSecondPartJustBefore) {
    constexpr u64 kStart = kCode + 2 * kPageSize - 9;
    c.load_code(kStart, {0xc6, 0x05, 4, 0, 0, 0, 0x99,          // mov byte [rip + 4], 0x99
                         0xb8, 0x78, 0x56, 0x34, 0x12, kHLT});  // its last byte
    c.run_from(kStart);
    EXPECT_EQ(c.gpr(kRAX), 0x99345678u);
}

TEST_F(CrossingTest, FaultOnTheSecondPage) {
    c.load_code(kFirst, {0xb8, 0x78});
    c.load_handler(static_cast<u8>(Vector::kPF), {kHLT});
    const u64 rsp = c.gpr(kRSP);
    const RunResult result = c.run_from(kFirst);
    EXPECT_EQ(result.ticks, 1u);  // the handler's HLT
    EXPECT_EQ(c.cpu.state.cr2, kSecond);
    EXPECT_EQ(c.load<u64>(rsp - 48), u64{page_fault::kFetch});
    EXPECT_EQ(c.load<u64>(rsp - 40), kFirst);
}

TEST_F(CrossingTest, InstructionThatEndsWithThePageDoesNotFault) {
    c.load_code(kFirst, {0x90, kHLT});
    EXPECT_EQ(c.run_from(kFirst).stop, Stop::kHalted);
    EXPECT_EQ(c.cpu.state.rip, kSecond);
}

// Operands over two pages, both of which have been read and written: no walk is needed.
class CrossingOperandTest : public InterpreterTest {
  protected:
    static constexpr u64 kSecond = kData + kPageSize;
    static constexpr u64 kOperand = kSecond - 3;

    void SetUp() override {
        c.load_code(kCode, {0x80, 0x0b, 0, 0x80, 0x4b, 7, 0, kHLT});  // or byte [rbx], 0; the last
        c.gpr(kRBX) = kOperand;
        c.gpr(kRCX) = 0x0101010101010101;
        c.load_code(kOperand, {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11});
        c.run_from(kCode);
        c.cpu.state.halted = false;
        c.load_code(kCode, {0x48, 0x8b, 0x03,  // mov rax, [rbx]
                            0x48, 0x01, 0x0b,  // add [rbx], rcx
                            0x89, 0x43, 2,     // mov [rbx + 2], eax
                            kHLT});
    }
};

TEST_F(CrossingOperandTest, IsReadAndWrittenInBoth) {
    const u64 walks = c.mmu.counters().slow_reads + c.mmu.counters().slow_writes;
    c.run_from(kCode);
    EXPECT_EQ(c.gpr(kRAX), 0x1122334455667788u);
    EXPECT_EQ(c.load<u64>(kOperand), 0x1223556677887889u);
    EXPECT_EQ(c.mmu.counters().slow_reads + c.mmu.counters().slow_writes, walks);
}

TEST_F(CrossingOperandTest, FaultsWhereOneIsMappedNoMore) {
    c.load_handler(static_cast<u8>(Vector::kPF), {kHLT});
    for (const u64 page : {kData, kSecond}) {
        const u64 entry = c.load<u64>(TestComputer::entry_of(page));
        c.store<u64>(TestComputer::entry_of(page), 0);
        c.run_from(kCode);
        EXPECT_EQ(c.cpu.state.cr2, page == kData ? kOperand : kSecond);
        c.store<u64>(TestComputer::entry_of(page), entry);
        c.cpu.state.halted = false;
    }
    EXPECT_EQ(c.load<u64>(kOperand), 0x1122334455667788u);
}

// A page is executed at two addresses, changed, and mapped elsewhere at one of them.
TEST_F(InterpreterTest, LookupsFollowMappingsOfCodeThatHasChanged) {
    constexpr u64 kX = 0x80000, kY = 0x81000, kFirst = 0x200000, kSecond = 0x210000;
    c.load_code(kX, {0xb8, 1, 0, 0, 0, 0xc3});  // mov eax, 1; ret
    c.load_code(kY, {0xb8, 2, 0, 0, 0, 0xc3});
    c.store<u64>(TestComputer::entry_of(kFirst), kX | 7);
    c.store<u64>(TestComputer::entry_of(kSecond), kX | 7);
    c.gpr(kRBX) = kFirst;
    c.gpr(kR12) = kSecond;
    c.gpr(kRDX) = kX;
    c.gpr(kRSI) = TestComputer::entry_of(kFirst);
    c.gpr(kRDI) = kY | 7;
    c.load_code(kCode, {0xff, 0xd3,              // call rbx
                        0xc6, 0x42, 0x01, 0x03,  // mov byte [rdx + 1], 3
                        0x48, 0x89, 0x3e,        // mov [rsi], rdi
                        0x41, 0xff, 0xd4,        // call r12
                        0x89, 0xc5,              // mov ebp, eax
                        0xff, 0xd3,              // call rbx
                        kHLT});
    c.run_from(kCode);
    EXPECT_EQ(c.gpr(kRBP), 3u);
    EXPECT_EQ(c.gpr(kRAX), 2u);
}

// The last address, which the empty lookup must not be taken for.
TEST_F(InterpreterTest, UserJumpToTheLastAddress) {
    c.load_handler(static_cast<u8>(Vector::kPF), {kHLT});
    c.enter_user();
    c.run_from(~u64{0});
    EXPECT_EQ(c.cpu.state.cr2, ~u64{0});
}

TEST_F(InterpreterTest, DeviceAccessesTakeOneTickEach) {
    c.store<u64>(TestComputer::entry_of(kData), u64{0xd000'0000} | 7);
    c.gpr(kRBX) = kData;
    c.load_code(kCode, {0xff, 0xc1,  // inc ecx
                        0x8b, 0x03,  // mov eax, [rbx]
                        0xff, 0xc1,  // inc ecx
                        0x89, 0x0b,  // mov [rbx], ecx
                        0xe7, 0x10,  // out 0x10, eax
                        kHLT});
    const RunResult result = c.run_from(kCode);
    EXPECT_EQ(result.ticks, 6u);
    EXPECT_EQ(c.gpr(kRAX), 0xffff'ffffu);
    EXPECT_EQ(c.gpr(kRCX), 2u);
    EXPECT_EQ(c.platform.port_writes.size(), 1u);
}

// Tables, stacks and code in device memory or outside: faults, a shutdown or a stop, never more.
TEST_F(InterpreterTest, StackInDeviceMemory) {
    c.store<u64>(TestComputer::entry_of(kData), u64{0xd000'0000} | 7);
    c.gpr(kRSP) = kData + 0x800;
    c.load_code(kCode, {0x50, 0x0f, 0x0b});  // push rax; ud2
    c.load_handler(static_cast<u8>(Vector::kUD), {kHLT});
    EXPECT_EQ(c.run_from(kCode).stop, Stop::kHalted);
}

TEST_F(InterpreterTest, DescriptorTableInDeviceMemory) {
    c.store<u64>(TestComputer::entry_of(kData), u64{0xd000'0000} | 7);
    c.cpu.state.idtr.base = kData;
    c.load_code(kCode, {0x0f, 0x0b});
    EXPECT_EQ(c.run_from(kCode).stop, Stop::kShutdown);
}

TEST_F(InterpreterTest, CodeInDeviceMemory) {
    c.store<u64>(TestComputer::entry_of(kData), u64{0xd000'0000} | 7);
    EXPECT_EQ(c.run_from(kData).stop, Stop::kUnimplemented);
}

// Compatibility mode is missing: nothing of what ran as 64-bit code is taken for it.
TEST_F(InterpreterTest, CodeOfAnotherMode) {
    c.load_code(kCode, {0x48, 0xff, 0xc0, kHLT});  // inc rax; dec eax, inc eax
    ASSERT_EQ(c.run_from(kCode).ticks, 2u);
    EXPECT_EQ(c.gpr(kRAX), 1u);
    const Segment code = c.cpu.state.segments[kCS];
    for (unsigned i = 0; i < 2; ++i) {
        c.cpu.state.halted = false;
        c.cpu.state.set_segment(kCS,
                                {0, ~u32{0}, TestProcessor::kKernelCS, descriptor::kFlatCode32});
        ASSERT_EQ(c.run_from(kCode).ticks, 3u);
        EXPECT_EQ(c.gpr(kRAX), 1u + i);
        c.cpu.state.halted = false;
        c.cpu.state.set_segment(kCS, code);
        ASSERT_EQ(c.run_from(kCode).ticks, 2u);
    }
}

TEST_F(InterpreterTest, RootOutsideMemory) {
    c.gpr(kRAX) = u64{1} << 39;
    c.load_code(kCode, {0x0f, 0x22, 0xd8});  // mov cr3, rax
    EXPECT_EQ(c.run_from(kCode).stop, Stop::kShutdown);
}

// A handler on a stack of its own that always faults itself.
TEST_F(InterpreterTest, ExceptionsForEverAreGivenUp) {
    c.set_gate(static_cast<u8>(Vector::kUD), kCode, TestProcessor::kInterruptGate, 1);
    c.load_code(kCode, {0x0f, 0x0b});
    const RunResult result = c.run_from(kCode);
    EXPECT_EQ(result.stop, Stop::kUnimplemented);
    EXPECT_EQ(result.ticks, 0u);
}

class DebugTest : public InterpreterTest {
  protected:
    static constexpr u64 kCount = kData;

    // The #DB handler counts and returns.
    DebugTest() {
        c.load_handler(static_cast<u8>(Vector::kDB), {0xff, 0x04, 0x25, 0, 0, 6, 0,  // inc [kData]
                                                      0x48, 0xcf});                  // iretq
    }
    void set_dr(unsigned index, u64 address, u64 dr7) {
        c.cpu.state.dr[index] = address;
        c.cpu.state.dr7 = 0x400 | dr7;
        c.mmu.update_context(c.cpu);
    }
    u32 count() { return c.load<u32>(kCount); }
};

TEST_F(DebugTest, SingleStepTrapsAfterEachInstruction) {
    c.load_code(kCode, {0x90, 0xff, 0xc0, 0xff, 0xc0, 0xe7, 0x10, kHLT});
    c.cpu.state.system_flags |= rflags::kTF;
    c.cpu.state.rip = kCode;
    const RunResult result = c.run(12);
    EXPECT_EQ(result.ticks, 12u);  // four instructions, each with the handler's two
    EXPECT_EQ(count(), 4u);
    EXPECT_EQ(c.gpr(kRAX), 2u);
    EXPECT_EQ(c.cpu.state.dr6 & (1u << 14), 1u << 14);
    EXPECT_EQ(c.cpu.state.rip, kCode + 7);
    // HLT retires, then the trap wakes the processor: it goes on behind HLT.
    EXPECT_EQ(c.run(3).stop, Stop::kBudget);
    EXPECT_EQ(count(), 5u);
    EXPECT_FALSE(c.cpu.state.halted);
    EXPECT_EQ(c.cpu.state.rip, kCode + 8);
}

TEST_F(DebugTest, FlagsLoadedByPOPFTrapAfterTheNextInstruction) {
    c.load_code(kCode, {0x68, 0x02, 0x01, 0, 0,  // push 0x102
                        0x9d,                    // popf
                        0x90, kHLT});
    c.cpu.state.rip = kCode;
    c.run(3 + 2);
    EXPECT_EQ(count(), 1u);
    EXPECT_EQ(c.cpu.state.rip, kCode + 7);
}

// A fault: reported before the instruction; RF in the frame lets the handler go on.
TEST_F(DebugTest, CodeBreakpoint) {
    c.load_code(kCode, {0x90, 0xff, 0xc0, 0xff, 0xc0, kHLT});
    c.load_handler(static_cast<u8>(Vector::kDB),
                   {0xff, 0x04, 0x25, 0, 0, 6, 0,                          // inc [kData]
                    0x48, 0x81, 0x4c, 0x24, 0x10, 0x00, 0x00, 0x01, 0x00,  // or [rsp+16], RF
                    0x48, 0xcf});
    set_dr(0, kCode + 3, 1);
    EXPECT_EQ(c.run_from(kCode).ticks, 4u + 3);
    EXPECT_EQ(count(), 1u);
    EXPECT_EQ(c.gpr(kRAX), 2u);
    EXPECT_EQ(c.cpu.state.dr6 & 15, 1u);
    EXPECT_EQ(c.cpu.state.system_flags & rflags::kRF, 0u);
}

// Traps: reported after the instruction that touches the bytes, on whichever path it does.
TEST_F(DebugTest, DataBreakpoints) {
    c.gpr(kRBX) = kData + 0x100;
    c.load_code(kCode, {0x89, 0x43, 0x08,  // mov [rbx + 8], eax
                        0x89, 0x43, 0x0c,  // mov [rbx + 12], eax
                        0x8b, 0x43, 0x0c,  // mov eax, [rbx + 12]
                        0x8a, 0x43, 0x0f,  // mov al, [rbx + 15]
                        kHLT});
    c.run_from(kCode);  // fills the tables before
    c.cpu.state.halted = false;
    set_dr(1, kData + 0x10c, 4 | (u64{0xd} << 20));  // writes to four bytes
    c.run_from(kCode);
    EXPECT_EQ(count(), 1u);
    EXPECT_EQ(c.cpu.state.dr6 & 15, 2u);
    c.cpu.state.halted = false;
    set_dr(1, kData + 0x10e, 4 | (u64{7} << 20));  // reads and writes of two
    c.run_from(kCode);
    EXPECT_EQ(count(), 1u + 3);
    c.cpu.state.halted = false;
    set_dr(1, 0, 0);
    c.run_from(kCode);
    EXPECT_EQ(count(), 4u);
}

TEST_F(InterpreterTest, InterruptsWaitForTheInstructionAfterSTI) {
    c.load_code(kCode, {0xfb, 0xff, 0xc0, 0xff, 0xc0, kHLT});  // sti; inc eax; inc eax
    c.load_handler(TestPlatform::kInterruptVector, {kHLT});
    c.platform.interrupt = true;
    const u64 rsp = c.gpr(kRSP);
    const RunResult result = c.run_from(kCode);
    EXPECT_EQ(result.ticks, 3u);
    EXPECT_EQ(c.gpr(kRAX), 1u);
    EXPECT_EQ(c.load<u64>(rsp - 40), kCode + 3);
}

}  // namespace
}  // namespace uchronia::cpu::interp
