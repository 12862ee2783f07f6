// String instructions: chunks, overlap, direction, conditions, faults; and that the fast path does
// what the slow one does, which goes element by element.
#include <gtest/gtest.h>

#include <random>

#include "cpu/interp/integer/string_chunk.h"
#include "cpu/interp/integer/test_machine.h"

namespace uchronia::cpu::interp::integer {
namespace {

constexpr u64 kSeed = 1;
constexpr u64 kAfter2 = TestMachine::kCode + 2;  // after an instruction of 2 bytes
constexpr u64 kAgain = TestMachine::kCode;

TEST(StringChunk, StaysInThePage) {
    EXPECT_EQ(iterations_in_page(0x1000, 1, Direction::kUp), 0x1000u);
    EXPECT_EQ(iterations_in_page(0x1ff8, 8, Direction::kUp), 1u);
    EXPECT_EQ(iterations_in_page(0x1ff9, 8, Direction::kUp), 1u);  // crosses: alone
    EXPECT_EQ(iterations_in_page(0x1fe9, 8, Direction::kUp), 2u);
    EXPECT_EQ(iterations_in_page(0x1000, 8, Direction::kDown), 1u);
    EXPECT_EQ(iterations_in_page(0x1ff8, 8, Direction::kDown), 512u);
    EXPECT_EQ(iterations_in_page(0x1007, 4, Direction::kDown), 2u);
    EXPECT_EQ(iterations_in_page(0x1ffd, 4, Direction::kDown), 1u);
}

class StringTest : public testing::TestWithParam<Path> {
  protected:
    void set(u64 source, u64 destination, u64 count) {
        m.gpr(kRSI) = source;
        m.gpr(kRDI) = destination;
        m.gpr(kRCX) = count;
    }
    void expect(u64 source, u64 destination, u64 count, u64 rip) {
        EXPECT_EQ(m.gpr(kRSI), source);
        EXPECT_EQ(m.gpr(kRDI), destination);
        EXPECT_EQ(m.gpr(kRCX), count);
        EXPECT_EQ(m.cpu.state.rip, rip);
    }
    TestMachine m{GetParam()};
};

TEST_P(StringTest, OneTickIsOneChunk) {
    set(0x1100, 0x3000, 5000);
    ASSERT_TRUE(m.run(handler::MOVS_Yb_Xb, {0xf3, 0xa4}));
    expect(0x2000, 0x3f00, 1160, kAgain);  // the source's page ends
    ASSERT_TRUE(m.run(handler::MOVS_Yb_Xb, {0xf3, 0xa4}));
    expect(0x2100, 0x4000, 904, kAgain);  // the destination's page ends
    ASSERT_TRUE(m.run(handler::MOVS_Yb_Xb, {0xf3, 0xa4}));
    expect(0x2488, 0x4388, 0, kAfter2);
}

TEST_P(StringTest, AnElementThatCrossesAPageIsAChunk) {
    m.gpr(kRAX) = 0x1122334455667788;
    set(0, 0x1fec, 4);
    ASSERT_TRUE(m.run(handler::STOS_Yv_rAX, {0xf3, 0x48, 0xab}));
    expect(0, 0x1ffc, 2, kAgain);
    ASSERT_TRUE(m.run(handler::STOS_Yv_rAX, {0xf3, 0x48, 0xab}));
    expect(0, 0x2004, 1, kAgain);
    ASSERT_TRUE(m.run(handler::STOS_Yv_rAX, {0xf3, 0x48, 0xab}));
    expect(0, 0x200c, 0, TestMachine::kCode + 3);
    EXPECT_EQ(m.read<u64>(0x1ffc), 0x1122334455667788u);
    EXPECT_EQ(m.read<u64>(0x2004), 0x1122334455667788u);
    EXPECT_EQ(m.read<u8>(0x200c), 0u);
}

TEST_P(StringTest, CountZeroTouchesNothing) {
    set(u64{1} << 63, u64{1} << 62, 0);
    ASSERT_TRUE(m.run(handler::MOVS_Yb_Xb, {0xf3, 0xa4}));
    expect(u64{1} << 63, u64{1} << 62, 0, kAfter2);
    // Only ECX counts with 32-bit addresses, and it stays whole.
    set(1, 2, u64{7} << 32);
    ASSERT_TRUE(m.run(handler::MOVS_Yb_Xb, {0x67, 0xf3, 0xa4}));
    expect(1, 2, u64{7} << 32, TestMachine::kCode + 3);
}

TEST_P(StringTest, TheTrapFlagStopsAfterEachIteration) {
    m.set_flags(rflags::kTF);
    set(0x1000, 0x2000, 2);
    ASSERT_TRUE(m.run(handler::MOVS_Yb_Xb, {0xf3, 0xa4}));
    expect(0x1001, 0x2001, 1, kAgain);
    ASSERT_TRUE(m.run(handler::MOVS_Yb_Xb, {0xf3, 0xa4}));
    expect(0x1002, 0x2002, 0, kAfter2);
}

TEST_P(StringTest, OverlappingMovesPropagate) {
    m.write<u8>(0x1000, 0x5a);
    set(0x1000, 0x1001, 100);
    ASSERT_TRUE(m.run(handler::MOVS_Yb_Xb, {0xf3, 0xa4}));
    EXPECT_EQ(m.read<u8>(0x1064), 0x5a);
    EXPECT_EQ(m.read<u8>(0x1065), 0);
}

TEST_P(StringTest, DownwardsMovesEndAtThePageStart) {
    for (u64 i = 0; i < 16; ++i)
        m.write<u8>(0x2000 + i, static_cast<u8>(i));
    m.set_flags(rflags::kDF);
    set(0x200f, 0x3002, 16);
    ASSERT_TRUE(m.run(handler::MOVS_Yb_Xb, {0xf3, 0xa4}));
    expect(0x200c, 0x2fff, 13, kAgain);
    EXPECT_EQ(m.read<u8>(0x3000), 13);
    EXPECT_EQ(m.read<u8>(0x3002), 15);
}

TEST_P(StringTest, ComparisonsStop) {
    m.write<u8>(0x1005, 1);
    set(0x1000, 0x2000, 100);
    ASSERT_TRUE(m.run(handler::CMPS_Xb_Yb, {0xf3, 0xa6}));
    expect(0x1006, 0x2006, 94, kAfter2);
    EXPECT_EQ(m.flags(), 0u);  // 1 - 0
    m.write<u8>(0x3007, 0x42);
    m.gpr(kRAX) = 0x42;
    set(0, 0x3000, 100);
    ASSERT_TRUE(m.run(handler::SCAS_AL_Yb, {0xf2, 0xae}));
    expect(0, 0x3008, 92, kAfter2);
    EXPECT_EQ(m.flags(), rflags::kZF | rflags::kPF);
}

TEST_P(StringTest, LoadsLeaveTheLastElement) {
    m.write<u32>(0x1008, 0xcafe);
    m.gpr(kRAX) = ~u64{0};
    set(0x1000, 0, 3);
    ASSERT_TRUE(m.run(handler::LODS_rAX_Xv, {0xf3, 0xad}));
    expect(0x100c, 0, 0, kAfter2);
    EXPECT_EQ(m.gpr(kRAX), 0xcafeu);
}

TEST_P(StringTest, AFaultLeavesTheRegisters) {
    m.cpu.state.rip = kAgain;
    // The element begins at the last canonical byte.
    set(0x00007fffffffffff, 0x1000, 9);
    EXPECT_FALSE(m.run(handler::MOVS_Yv_Xv, {0xf3, 0x48, 0xa5}));
    EXPECT_EQ(m.cpu.exit, Exit::kFault);
    EXPECT_EQ(m.cpu.fault.vector, Vector::kGP);
    expect(0x00007fffffffffff, 0x1000, 9, kAgain);
}

TEST(String, DeviceMemoryWantsABlockOfItsOwn) {
    TestMachine m(Path::kSlow);
    m.gpr(kRSI) = 0x1000;
    m.gpr(kRDI) = 0xfee00000;
    m.gpr(kRCX) = 4;
    EXPECT_FALSE(m.run(handler::MOVS_Yv_Xv, {0xf3, 0xa5}));
    EXPECT_EQ(m.cpu.exit, Exit::kAlone);
    EXPECT_EQ(m.gpr(kRCX), 4u);
    m.cpu.alone = true;
    EXPECT_TRUE(m.run(handler::MOVS_Yv_Xv, {0xf3, 0xa5}));
    EXPECT_EQ(m.gpr(kRCX), 0u);
    EXPECT_EQ(m.gpr(kRDI), 0xfee00010u);
}

INSTANTIATE_TEST_SUITE_P(Paths, StringTest, testing::Values(Path::kFast, Path::kSlow));

struct Form {
    const HandlerSet* handlers;
    std::initializer_list<u8> bytes;
};

TEST(String, FastPathEqualsSlowPath) {
    const Form forms[] = {
        {&handler::MOVS_Yb_Xb, {0xf3, 0xa4}},        {&handler::MOVS_Yv_Xv, {0xf3, 0x66, 0xa5}},
        {&handler::MOVS_Yv_Xv, {0xf3, 0xa5}},        {&handler::MOVS_Yv_Xv, {0xf3, 0x48, 0xa5}},
        {&handler::MOVS_Yv_Xv, {0x48, 0xa5}},        {&handler::MOVS_Yv_Xv, {0x67, 0xf3, 0xa5}},
        {&handler::STOS_Yb_AL, {0xf3, 0xaa}},        {&handler::STOS_Yv_rAX, {0xf3, 0x48, 0xab}},
        {&handler::STOS_Yv_rAX, {0xf3, 0x66, 0xab}}, {&handler::STOS_Yv_rAX, {0xab}},
        {&handler::LODS_AL_Xb, {0xf3, 0xac}},        {&handler::LODS_rAX_Xv, {0xf3, 0x48, 0xad}},
        {&handler::CMPS_Xb_Yb, {0xf3, 0xa6}},        {&handler::CMPS_Xb_Yb, {0xf2, 0xa6}},
        {&handler::CMPS_Xv_Yv, {0xf3, 0x66, 0xa7}},  {&handler::CMPS_Xv_Yv, {0xf3, 0x48, 0xa7}},
        {&handler::SCAS_AL_Yb, {0xf2, 0xae}},        {&handler::SCAS_AL_Yb, {0xf3, 0xae}},
        {&handler::SCAS_rAX_Yv, {0xf2, 0xaf}},       {&handler::SCAS_rAX_Yv, {0xf3, 0x48, 0xaf}},
    };
    std::mt19937_64 random(kSeed);
    TestMachine fast(Path::kFast), slow(Path::kSlow);
    for (int i = 0; i < 4000; ++i) {
        const Form& form = forms[i % std::size(forms)];
        // Few values, so that comparisons run for a while.
        for (int n = 0; n < 64; ++n)
            fast.memory()[random() % fast.memory().size()] = static_cast<u8>(random() % 2);
        slow.memory() = fast.memory();
        const u64 source = 0x4000 + random() % 0x4000;
        const u64 destination =
            random() % 2 == 0 ? source + random() % 64 - 32 : 0x4000 + random() % 0x4000;
        const u64 values[] = {source, destination, random() % 300, random() % 2 == 0 ? 0 : random(),
                              random() & (rflags::kArithmetic | rflags::kDF)};
        for (TestMachine* m : {&fast, &slow}) {
            m->gpr(kRSI) = values[0];
            m->gpr(kRDI) = values[1];
            m->gpr(kRCX) = values[2];
            m->gpr(kRAX) = values[3];
            m->set_flags(values[4]);
            ASSERT_TRUE(m->run(*form.handlers, form.bytes));
        }
        ASSERT_EQ(fast.cpu.state.gpr, slow.cpu.state.gpr) << "case " << i;
        ASSERT_EQ(fast.flags(), slow.flags()) << "case " << i;
        ASSERT_EQ(fast.cpu.state.rip, slow.cpu.state.rip) << "case " << i;
        ASSERT_TRUE(fast.memory() == slow.memory()) << "case " << i;
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp::integer
