// Dead flags are zero at every stop (docs/decisions/0010), and stops change nothing else: not even
// where the code that made a flag dead is changed before it runs.
#include <gtest/gtest.h>

#include "cpu/interp/test_computer.h"

namespace uchronia::cpu::interp {
namespace {

constexpr u8 kHLT = 0xf4;

class DeadFlagsTest : public testing::Test {
  protected:
    static constexpr u64 kCode = TestProcessor::kCode;

    // Runs the code at kCode to its HLT in one go, and again with a stop after every instruction:
    // RAX, which must be the same.
    static u64 run_both_ways(const std::vector<u8>& code, const std::vector<u8>& elsewhere = {}) {
        TestComputer whole, stepped;
        for (TestComputer* c : {&whole, &stepped}) {
            c->load_code(kCode, code);
            c->load_code(kCode + 0x400, elsewhere);
            c->gpr(kRDX) = 0x11;
            c->cpu.state.rip = kCode;
        }
        whole.run(1000);
        for (unsigned tick = 0; tick < 1000 && !stepped.cpu.state.halted; ++tick)
            stepped.run(1);
        EXPECT_TRUE(whole.cpu.state.halted);
        EXPECT_EQ(whole.digest(), stepped.digest());
        EXPECT_EQ(whole.gpr(kRAX), stepped.gpr(kRAX));
        return whole.gpr(kRAX);
    }

    // RFLAGS in the frame of the exception that the code causes.
    static u64 flags_in_frame(const std::vector<u8>& code, u8 vector) {
        TestComputer c;
        c.load_code(kCode, code);
        c.load_handler(vector, {kHLT});
        c.cpu.state.set_rflags(rflags::kArithmetic);
        c.gpr(kRBX) = TestProcessor::kNotMapped;
        c.run_from(kCode);
        EXPECT_TRUE(c.cpu.state.halted);
        return c.load<u64>(c.gpr(kRSP) + (vector == 14 ? 24 : 16)) & rflags::kArithmetic;
    }

    TestComputer c;
};

TEST_F(DeadFlagsTest, AtTheEndOfARun) {
    c.load_code(kCode, {0xf9, 0xff, 0xc0, 0x01, 0xc0, kHLT});  // stc; inc eax; add eax, eax
    c.gpr(kRAX) = ~u64{0};
    c.run(1);
    EXPECT_FALSE(c.cpu.state.flags.cf());
    c.run(1);
    EXPECT_EQ(c.cpu.state.flags.bits, ArithmeticFlags::kFixed);
    c.run(1);
    EXPECT_TRUE(c.cpu.state.flags.zf());  // before HLT nothing is dead
}

TEST_F(DeadFlagsTest, InTheFramesOfFaults) {
    // mov eax, [rbx]; add eax, eax
    EXPECT_EQ(flags_in_frame({0x8b, 0x03, 0x01, 0xc0}, 14), 0u);
    // mov eax, [rbx]; adc eax, eax
    EXPECT_EQ(flags_in_frame({0x8b, 0x03, 0x11, 0xc0}, 14), rflags::kCF);
    // mov eax, [rbx]; hlt
    EXPECT_EQ(flags_in_frame({0x8b, 0x03, kHLT}, 14), rflags::kArithmetic);
    EXPECT_EQ(flags_in_frame({0x0f, 0x0b, 0x01, 0xc0}, 6), rflags::kArithmetic);  // ud2
    // INT3 itself pushes the flags: a use of them.
    EXPECT_EQ(flags_in_frame({0xcc, 0x01, 0xc0}, 3), rflags::kArithmetic);
}

TEST_F(DeadFlagsTest, InTheFramesOfInterrupts) {
    c.load_code(kCode, {0x01, 0xc0, kHLT});
    c.load_handler(TestPlatform::kInterruptVector, {kHLT});
    c.platform.interrupt = true;
    c.cpu.state.set_rflags(rflags::kIF | rflags::kArithmetic);
    c.run_from(kCode);
    EXPECT_EQ(c.load<u64>(c.gpr(kRSP) + 16) & (rflags::kArithmetic | rflags::kIF), rflags::kIF);
}

// CF is dead until the store makes ADC of the ADD: what it would have been is lost at a stop, so it
// is lost without one, too.
TEST_F(DeadFlagsTest, StoreIntoTheCodeAhead) {
    EXPECT_EQ(run_both_ways({0x31, 0xc0,              // xor eax, eax
                             0xf9,                    // stc
                             0x88, 0x15, 0, 0, 0, 0,  // mov [rip], dl
                             0x01, 0xc0,              // add eax, eax; becomes adc
                             kHLT}),
              0u);
}

// The same, where the store hits no byte that has been decoded yet.
TEST_F(DeadFlagsTest, StoreIntoThePageAhead) {
    EXPECT_EQ(run_both_ways({0x31, 0xc0,                    // xor eax, eax
                             0xf9,                          // stc
                             0x88, 0x15, 0xf7, 0x03, 0, 0,  // mov [kCode + 0x400], dl
                             0xe9, 0xf2, 0x03, 0, 0},       // jmp kCode + 0x400
                            {0x01, 0xc0, kHLT}),
              0u);
}

// ... and where nothing makes the flag dead.
TEST_F(DeadFlagsTest, StoreThatLeavesTheFlagAlive) {
    EXPECT_EQ(run_both_ways({0x31, 0xc0,                    // xor eax, eax
                             0xf9,                          // stc
                             0x88, 0x15, 0xf7, 0x03, 0, 0,  // mov [kCode + 0x400], dl
                             0xe8, 0xf2, 0x03, 0, 0},       // call kCode + 0x400
                            {0x01, 0xc0, kHLT}),
              1u);
}

}  // namespace
}  // namespace uchronia::cpu::interp
