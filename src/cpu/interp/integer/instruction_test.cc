// What is odd about single instructions: order of writes, upper halves, faults, privilege. The
// results of ordinary operands are compared with the host CPU elsewhere.
#include <gtest/gtest.h>

#include "cpu/interp/integer/test_machine.h"

namespace uchronia::cpu::interp::integer {
namespace {

constexpr u64 kOnes = ~u64{0};
constexpr u64 kNonCanonical = u64{1} << 47;
constexpr u64 kStack = 0x8000;

class InstructionTest : public testing::TestWithParam<Path> {
  protected:
    InstructionTest() { m.gpr(kRSP) = kStack; }

    void expect_fault(Vector vector) {
        EXPECT_EQ(m.cpu.exit, Exit::kFault);
        EXPECT_EQ(m.cpu.fault.vector, vector);
        EXPECT_EQ(m.cpu.fault.error_code, 0u);
    }
    TestMachine m{GetParam()};
};

TEST_P(InstructionTest, ModifiesMemory) {
    m.gpr(kRBX) = 0x1000;
    m.gpr(kRAX) = 5;
    m.write<u64>(0x1010, 7);
    ASSERT_TRUE(m.run(handler::ADD_Ev_Gv, {0x48, 0x01, 0x43, 0x10}));  // add [rbx+16], rax
    EXPECT_EQ(m.read<u64>(0x1010), 12u);
    m.gpr(kRBX) = 0x1ffd;  // crosses a page
    m.write<u32>(0x1ffd, 0xffffffff);
    ASSERT_TRUE(m.run(handler::INC_Ev, {0xff, 0x03}));
    EXPECT_EQ(m.read<u32>(0x1ffd), 0u);
    EXPECT_TRUE(m.cpu.state.flags.zf());
}

TEST_P(InstructionTest, HighByteRegisters) {
    m.gpr(kRAX) = 0x1234;
    ASSERT_TRUE(m.run(handler::ADD_Eb_Gb, {0x00, 0xe0}));  // add al, ah
    EXPECT_EQ(m.gpr(kRAX), 0x1246u);
    ASSERT_TRUE(m.run(handler::MUL_Eb, {0xf6, 0xe4}));  // mul ah
    EXPECT_EQ(m.gpr(kRAX), 0x12u * 0x46u);
}

TEST_P(InstructionTest, CompareExchangeKeepsTheUpperHalfThatItDoesNotWrite) {
    m.gpr(kRAX) = kOnes;
    m.gpr(kRBX) = 0x2222222200000002;
    m.gpr(kRCX) = 3;
    ASSERT_TRUE(m.run(handler::CMPXCHG_Ev_Gv, {0x0f, 0xb1, 0xcb}));  // cmpxchg ebx, ecx
    EXPECT_EQ(m.gpr(kRAX), 2u);
    EXPECT_EQ(m.gpr(kRBX), 0x2222222200000002u);
    m.gpr(kRAX) = 0x1111111100000002;
    ASSERT_TRUE(m.run(handler::CMPXCHG_Ev_Gv, {0x0f, 0xb1, 0xcb}));
    EXPECT_EQ(m.gpr(kRAX), 0x1111111100000002u);
    EXPECT_EQ(m.gpr(kRBX), 3u);
    EXPECT_TRUE(m.cpu.state.flags.zf());
}

TEST_P(InstructionTest, CompareExchangeOfPairs) {
    m.gpr(kRSI) = 0x1000;
    m.gpr(kRAX) = 1;
    m.gpr(kRDX) = 2;
    m.gpr(kRBX) = 3;
    m.gpr(kRCX) = 4;
    m.write<u64>(0x1000, 1);
    m.write<u64>(0x1008, 2);
    ASSERT_TRUE(m.run(handler::CMPXCHG16B_Mdq, {0xf0, 0x48, 0x0f, 0xc7, 0x0e}));
    EXPECT_TRUE(m.cpu.state.flags.zf());
    EXPECT_EQ(m.read<u64>(0x1000), 3u);
    EXPECT_EQ(m.read<u64>(0x1008), 4u);
    ASSERT_TRUE(m.run(handler::CMPXCHG16B_Mdq, {0x48, 0x0f, 0xc7, 0x0e}));
    EXPECT_FALSE(m.cpu.state.flags.zf());
    EXPECT_EQ(m.gpr(kRAX), 3u);
    EXPECT_EQ(m.gpr(kRDX), 4u);
    m.gpr(kRSI) = 0x1008;
    EXPECT_FALSE(m.run(handler::CMPXCHG16B_Mdq, {0x48, 0x0f, 0xc7, 0x0e}));
    expect_fault(Vector::kGP);

    m.write<u64>(0x1008, 0x0000000400000003);
    ASSERT_TRUE(m.run(handler::CMPXCHG8B_Mq, {0x0f, 0xc7, 0x0e}));
    EXPECT_TRUE(m.cpu.state.flags.zf());
    EXPECT_EQ(m.read<u64>(0x1008), 0x0000000400000003u);
}

TEST_P(InstructionTest, ExchangeAddOfARegisterWithItself) {
    m.gpr(kRAX) = 21;
    ASSERT_TRUE(m.run(handler::XADD_Ev_Gv, {0x48, 0x0f, 0xc1, 0xc0}));
    EXPECT_EQ(m.gpr(kRAX), 42u);
}

TEST_P(InstructionTest, NopIsNotAnExchange) {
    m.gpr(kRAX) = kOnes;
    ASSERT_TRUE(m.run(handler::XCHG_Zv_rAX, {0x90}));
    EXPECT_EQ(m.gpr(kRAX), kOnes);
    m.gpr(kR8) = 7;
    ASSERT_TRUE(m.run(handler::XCHG_Zv_rAX, {0x41, 0x90}));  // xchg r8d, eax
    EXPECT_EQ(m.gpr(kRAX), 7u);
    EXPECT_EQ(m.gpr(kR8), 0xffffffffu);
}

TEST_P(InstructionTest, ConditionalMoveAlwaysClearsTheUpperHalf) {
    m.gpr(kRAX) = kOnes;
    m.set_flags(0);
    ASSERT_TRUE(m.run(handler::CMOVZ_Gv_Ev, {0x0f, 0x44, 0xc3}));
    EXPECT_EQ(m.gpr(kRAX), 0xffffffffu);
}

TEST_P(InstructionTest, BitStringsReachBelowTheirAddress) {
    m.gpr(kRBX) = 0x1000;
    m.gpr(kRAX) = static_cast<u64>(-1);
    ASSERT_TRUE(m.run(handler::BTS_Ev_Gv, {0x0f, 0xab, 0x03}));  // bts [rbx], eax
    EXPECT_EQ(m.read<u32>(0xffc), 0x80000000u);
    EXPECT_FALSE(m.cpu.state.flags.cf());
    m.gpr(kRAX) = 100;
    m.write<u64>(0x1008, u64{1} << 36);
    ASSERT_TRUE(m.run(handler::BT_Ev_Gv, {0x48, 0x0f, 0xa3, 0x03}));
    EXPECT_TRUE(m.cpu.state.flags.cf());
    ASSERT_TRUE(m.run(handler::BTR_Ev_Ib, {0x48, 0x0f, 0xba, 0x73, 0x08, 0x64}));  // bit 100 % 64
    EXPECT_EQ(m.read<u64>(0x1008), 0u);
}

TEST_P(InstructionTest, BitScanOfZeroLeavesTheDestination) {
    m.gpr(kRAX) = kOnes;
    m.gpr(kRBX) = 0;
    ASSERT_TRUE(m.run(handler::BSF_Gv_Ev, {0xf3, 0x0f, 0xbc, 0xc3}));
    EXPECT_EQ(m.gpr(kRAX), kOnes);
    EXPECT_TRUE(m.cpu.state.flags.zf());
    m.gpr(kRBX) = 0x50;
    ASSERT_TRUE(m.run(handler::BSR_Gv_Ev, {0x0f, 0xbd, 0xc3}));
    EXPECT_EQ(m.gpr(kRAX), 6u);
}

TEST_P(InstructionTest, AccumulatesCRC32C) {
    // CRC-32C of "123456789" is e3069283 (RFC 3720, B.4 gives the polynomial).
    m.gpr(kRAX) = 0xffffffff;
    for (const char c : {'1', '2', '3', '4', '5', '6', '7', '8', '9'}) {
        m.gpr(kRBX) = static_cast<u8>(c);
        ASSERT_TRUE(m.run(handler::CRC32_Gy_Eb, {0xf2, 0x0f, 0x38, 0xf0, 0xc3}));
    }
    EXPECT_EQ(m.gpr(kRAX) ^ 0xffffffff, 0xe3069283u);
}

TEST_P(InstructionTest, DivideErrors) {
    m.gpr(kRAX) = 1;
    EXPECT_FALSE(m.run(handler::DIV_Ev, {0xf7, 0xf3}));
    expect_fault(Vector::kDE);
    m.gpr(kRAX) = u64{1} << 63;
    m.gpr(kRDX) = kOnes;
    m.gpr(kRBX) = kOnes;
    EXPECT_FALSE(m.run(handler::IDIV_Ev, {0x48, 0xf7, 0xfb}));
    expect_fault(Vector::kDE);
    EXPECT_EQ(m.gpr(kRAX), u64{1} << 63);
}

TEST_P(InstructionTest, PushAndPopOfTheStackPointer) {
    ASSERT_TRUE(m.run(handler::PUSH_Zv, {0x54}));  // push rsp: the old value
    EXPECT_EQ(m.gpr(kRSP), kStack - 8);
    EXPECT_EQ(m.read<u64>(kStack - 8), kStack);
    m.write<u64>(kStack - 8, 0x1234);
    ASSERT_TRUE(m.run(handler::POP_Zv, {0x5c}));  // pop rsp: what was on the stack
    EXPECT_EQ(m.gpr(kRSP), 0x1234u);
    m.gpr(kRSP) = kStack;
    m.write<u64>(kStack, 77);
    ASSERT_TRUE(m.run(handler::POP_Ev, {0x8f, 0x44, 0x24, 0x10}));  // pop [rsp+16]: the new RSP
    EXPECT_EQ(m.read<u64>(kStack + 8 + 16), 77u);
}

TEST_P(InstructionTest, StackFaultsAreSS) {
    m.gpr(kRSP) = kNonCanonical + 4;
    EXPECT_FALSE(m.run(handler::PUSH_Zv, {0x50}));
    expect_fault(Vector::kSS);
    EXPECT_EQ(m.gpr(kRSP), kNonCanonical + 4);
    m.gpr(kRBX) = 0x1000;
    EXPECT_FALSE(m.run(handler::PUSH_Ev, {0xff, 0x33}));
    expect_fault(Vector::kSS);
}

TEST_P(InstructionTest, EnterAndLeave) {
    m.gpr(kRBP) = 0x7100;
    m.write<u64>(0x70f8, 0xaaaa);
    EXPECT_FALSE(m.run(handler::ENTER_Iw_Ib, {0xc8, 0x20, 0x00, 0x02}));
    EXPECT_EQ(m.cpu.exit, Exit::kAlone);  // it loads after it has stored
    m.cpu.alone = true;
    ASSERT_TRUE(m.run(handler::ENTER_Iw_Ib, {0xc8, 0x20, 0x00, 0x02}));
    EXPECT_EQ(m.gpr(kRBP), kStack - 8);
    EXPECT_EQ(m.gpr(kRSP), kStack - 24 - 0x20);
    EXPECT_EQ(m.read<u64>(kStack - 8), 0x7100u);
    EXPECT_EQ(m.read<u64>(kStack - 16), 0xaaaau);
    EXPECT_EQ(m.read<u64>(kStack - 24), kStack - 8);
    ASSERT_TRUE(m.run(handler::LEAVE, {0xc9}));
    EXPECT_EQ(m.gpr(kRSP), kStack);
    EXPECT_EQ(m.gpr(kRBP), 0x7100u);
}

TEST_P(InstructionTest, CallsAndReturns) {
    ASSERT_TRUE(m.run(handler::CALL_Jz, {0xe8, 0xfb, 0x0f, 0x00, 0x00}));
    EXPECT_EQ(m.cpu.state.rip, TestMachine::kCode + 0x1000);
    EXPECT_EQ(m.read<u64>(kStack - 8), TestMachine::kCode + 5);
    ASSERT_TRUE(m.run(handler::RET_Iw, {0xc2, 0x10, 0x00}));
    EXPECT_EQ(m.cpu.state.rip, TestMachine::kCode + 5);
    EXPECT_EQ(m.gpr(kRSP), kStack + 0x10);
    m.gpr(kRAX) = 0x1000;
    m.write<u64>(0x1000, 0x123456);
    ASSERT_TRUE(m.run(handler::CALL_Ev, {0xff, 0x10}));
    EXPECT_EQ(m.cpu.state.rip, 0x123456u);
    EXPECT_EQ(m.read<u64>(kStack + 8), TestMachine::kCode + 2);
}

TEST_P(InstructionTest, BranchesOnlyToCanonicalAddresses) {
    m.gpr(kRAX) = kNonCanonical;
    EXPECT_FALSE(m.run(handler::JMP_Ev, {0xff, 0xe0}));
    expect_fault(Vector::kGP);
    EXPECT_FALSE(m.run(handler::CALL_Ev, {0xff, 0xd0}));
    expect_fault(Vector::kGP);
    m.write<u64>(kStack, kNonCanonical);
    EXPECT_FALSE(m.run(handler::RET, {0xc3}));
    expect_fault(Vector::kGP);
    EXPECT_EQ(m.gpr(kRSP), kStack);
}

TEST_P(InstructionTest, LoopsCountInTheAddressSize) {
    m.gpr(kRCX) = u64{7} << 32 | 1;
    ASSERT_TRUE(m.run(handler::LOOP_Jb, {0x67, 0xe2, 0x10}));
    EXPECT_EQ(m.gpr(kRCX), 0u);
    EXPECT_EQ(m.cpu.state.rip, TestMachine::kCode + 3);
    ASSERT_TRUE(m.run(handler::JRCXZ_Jb, {0xe3, 0x10}));
    EXPECT_EQ(m.cpu.state.rip, TestMachine::kCode + 0x12);
    m.gpr(kRCX) = 2;
    m.set_flags(rflags::kZF);
    ASSERT_TRUE(m.run(handler::LOOPNZ_Jb, {0xe0, 0x10}));
    EXPECT_EQ(m.cpu.state.rip, TestMachine::kCode + 2);
}

TEST_P(InstructionTest, UserModeCannotPopIFOrIOPL) {
    m.cpu.state.segments[kCS].selector = 3;
    m.set_flags(0);
    m.write<u64>(kStack, rflags::kIF | rflags::kIOPL | rflags::kCF | rflags::kDF | rflags::kVM |
                             rflags::kRF | rflags::kVIF);
    ASSERT_TRUE(m.run(handler::POPF, {0x9d}));
    EXPECT_EQ(m.cpu.state.rflags(), rflags::kFixed | rflags::kCF | rflags::kDF);
    m.cpu.state.segments[kCS].selector = 0;
    m.gpr(kRSP) = kStack;
    ASSERT_TRUE(m.run(handler::POPF, {0x9d}));
    EXPECT_EQ(m.cpu.state.rflags(),
              rflags::kFixed | rflags::kCF | rflags::kDF | rflags::kIF | rflags::kIOPL);
    EXPECT_TRUE(m.cpu.attention);
    ASSERT_TRUE(m.run(handler::PUSHF, {0x9c}));
    EXPECT_EQ(m.read<u64>(kStack), m.cpu.state.rflags());
}

TEST_P(InstructionTest, OffsetsAndTranslation) {
    m.write<u64>(0x1008, 0x55);
    ASSERT_TRUE(m.run(handler::MOV_rAX_Ov, {0x48, 0xa1, 0x08, 0x10, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(m.gpr(kRAX), 0x55u);
    m.gpr(kRBX) = 0x1000;
    m.gpr(kRAX) = 0xff08;
    ASSERT_TRUE(m.run(handler::XLAT, {0xd7}));
    EXPECT_EQ(m.gpr(kRAX), 0xff55u);
    m.cpu.state.segment_base[kFS] = 0x1000;
    ASSERT_TRUE(m.run(handler::MOV_AL_Ob, {0x64, 0x67, 0xa0, 0x08, 0, 0, 0}));
    EXPECT_EQ(m.gpr(kRAX), 0xff55u);
}

TEST_P(InstructionTest, ModelsWithoutZeroCountsScanBits) {
    TestMachine v2(GetParam(), CPUModel::kV2);
    v2.gpr(kRCX) = 0x50;
    ASSERT_TRUE(v2.run(handler::TZCNT_Gv_Ev, {0xf3, 0x0f, 0xbc, 0xc1}));  // bsf eax, ecx
    EXPECT_EQ(v2.gpr(kRAX), 4u);
    ASSERT_TRUE(v2.run(handler::LZCNT_Gv_Ev, {0xf3, 0x0f, 0xbd, 0xc1}));  // bsr eax, ecx
    EXPECT_EQ(v2.gpr(kRAX), 6u);
    v2.gpr(kRCX) = 0;
    v2.gpr(kRAX) = kOnes;
    ASSERT_TRUE(v2.run(handler::TZCNT_Gv_Ev, {0xf3, 0x0f, 0xbc, 0xc1}));
    EXPECT_EQ(v2.gpr(kRAX), kOnes);
    EXPECT_TRUE(v2.cpu.state.flags.zf());
    ASSERT_TRUE(m.run(handler::TZCNT_Gv_Ev, {0xf3, 0x0f, 0xbc, 0xc1}));  // tzcnt eax, ecx
    EXPECT_EQ(m.gpr(kRAX), 32u);
    EXPECT_TRUE(m.cpu.state.flags.cf());
}

TEST_P(InstructionTest, ModelsWithoutBMIRefuseIt) {
    TestMachine v2(GetParam(), CPUModel::kV2);
    EXPECT_FALSE(v2.run(handler::ANDN_Gy_By_Ey, {0xc4, 0xe2, 0x70, 0xf2, 0xc2}));
    EXPECT_EQ(v2.cpu.fault.vector, Vector::kUD);
    EXPECT_FALSE(v2.run(handler::RORX_Gy_Ey_Ib, {0xc4, 0xe3, 0x7b, 0xf0, 0xc1, 0x04}));
    EXPECT_EQ(v2.cpu.fault.vector, Vector::kUD);
    EXPECT_FALSE(v2.run(handler::MOVBE_Gv_Mv, {0x0f, 0x38, 0xf0, 0x03}));
    EXPECT_EQ(v2.cpu.fault.vector, Vector::kUD);
}

TEST_P(InstructionTest, MultiplyWithoutFlagsKeepsTheUpperHalfInOneRegister) {
    m.gpr(kRDX) = kOnes;
    m.gpr(kRCX) = 0x10;
    ASSERT_TRUE(m.run(handler::MULX_Gy_By_Ey, {0xc4, 0xe2, 0xfb, 0xf6, 0xc1}));  // rax, rax, rcx
    EXPECT_EQ(m.gpr(kRAX), 0xfu);
}

INSTANTIATE_TEST_SUITE_P(Paths, InstructionTest, testing::Values(Path::kFast, Path::kSlow));

}  // namespace
}  // namespace uchronia::cpu::interp::integer
