#include "cpu/interp/system/segments.h"

#include <gtest/gtest.h>

#include "cpu/interp/system/test_processor.h"

namespace uchronia::cpu::interp {
namespace {

using P = TestProcessor;

class SegmentsTest : public testing::Test {
  protected:
    // mov SEGMENT, ax
    void load(SegmentRegister index, u16 selector) {
        state.gpr[kRAX] = selector;
        p.run({0x8e, static_cast<u8>(0xc0 | index << 3)});
    }

    TestProcessor p;
    CPUState& state = p.cpu.state;
};

TEST_F(SegmentsTest, LoadsTheHiddenPartAndMarksAccessed) {
    load(kFS, P::kUserDS);
    EXPECT_TRUE(p.retired(2));
    EXPECT_EQ(state.segments[kFS].selector, P::kUserDS);
    EXPECT_EQ(state.segments[kFS].limit, ~u32{0});
    EXPECT_EQ(state.segments[kFS].attributes, 0xcf3);
    EXPECT_EQ(p.load<u8>(P::kGDT + 0x28 + 5), 0xf3);
    EXPECT_FALSE(state.interrupt_shadow);
}

TEST_F(SegmentsTest, BaseOfFSCountsAndNullClearsIt) {
    p.store<u64>(P::kGDT + 0x28, 0x12cff2345678ffff);
    load(kGS, P::kUserDS);
    EXPECT_EQ(state.segment_base[kGS], 0x12345678u);
    load(kGS, 3);
    EXPECT_TRUE(p.retired(2));
    EXPECT_EQ(state.segment_base[kGS], 0u);
    EXPECT_EQ(state.segments[kGS].selector, 3u);
}

TEST_F(SegmentsTest, StackSegments) {
    load(kSS, P::kKernelDS);
    EXPECT_TRUE(p.retired(2));
    EXPECT_TRUE(state.interrupt_shadow);
    load(kSS, 0);  // allowed in 64-bit code of ring 0
    EXPECT_TRUE(p.retired(2));
    load(kSS, P::kUserDS);  // RPL and DPL are not CPL
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kUserDS & ~3u));
    load(kSS, P::kKernelCS);  // not writable
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kKernelCS));
    p.enter_user();
    load(kSS, 0);
    EXPECT_TRUE(p.faulted(Vector::kGP));
}

TEST_F(SegmentsTest, RefusesWhatItMust) {
    load(kDS, 0x80);  // beyond the limit
    EXPECT_TRUE(p.faulted(Vector::kGP, 0x80));
    load(kDS, P::kAbsentDS);
    EXPECT_TRUE(p.faulted(Vector::kNP, P::kAbsentDS));
    load(kDS, P::kTSSSelector);
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kTSSSelector));
    load(kDS, 0x0c);  // no LDT
    EXPECT_TRUE(p.faulted(Vector::kGP, 0x0c));
    load(kCS, P::kKernelCS);
    EXPECT_TRUE(p.cpu.exit == Exit::kFault && p.cpu.fault.vector == Vector::kUD);
    p.enter_user();
    load(kDS, P::kKernelDS);
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kKernelDS));
}

TEST_F(SegmentsTest, LDT) {
    state.gpr[kRAX] = P::kLDTSelector;
    p.run({0x0f, 0x00, 0xd0});  // lldt ax
    EXPECT_TRUE(p.retired(3));
    EXPECT_EQ(state.ldtr.base, 0x6000u);
    p.store<u64>(0x6008, 0x00cff3000000ffff);
    load(kDS, 0x0f);
    EXPECT_TRUE(p.retired(2));
    p.run({0x0f, 0x00, 0xc1});  // sldt ecx
    EXPECT_EQ(state.gpr[kRCX], P::kLDTSelector);
    state.gpr[kRAX] = P::kTSSSelector;
    p.run({0x0f, 0x00, 0xd0});
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kTSSSelector));
}

TEST_F(SegmentsTest, TaskRegisterBecomesBusy) {
    state.tr = {};
    state.gpr[kRAX] = P::kTSSSelector;
    p.run({0x0f, 0x00, 0xd8});  // ltr ax
    EXPECT_TRUE(p.retired(3));
    EXPECT_EQ(state.tr.base, P::kTSS);
    EXPECT_EQ(state.tr.limit, 0x67u);
    EXPECT_EQ(p.load<u8>(P::kGDT + P::kTSSSelector + 5), 0x8b);
    p.run({0x0f, 0x00, 0xd8});  // busy now
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kTSSSelector));
}

TEST_F(SegmentsTest, TablesAreStoredAndLoaded) {
    state.gpr[kRBX] = 0x8000;
    p.run({0x0f, 0x01, 0x03});  // sgdt [rbx]
    EXPECT_TRUE(p.retired(3));
    EXPECT_EQ(p.load<u16>(0x8000), 0x7f);
    EXPECT_EQ(p.load<u64>(0x8002), P::kGDT);
    p.run({0x0f, 0x01, 0x1b});  // lidt [rbx]
    EXPECT_TRUE(p.retired(3));
    EXPECT_EQ(state.idtr.base, P::kGDT);
    EXPECT_EQ(state.idtr.limit, 0x7f);
    p.store<u64>(0x8002, 0x0000800000000000);
    p.run({0x0f, 0x01, 0x13});  // lgdt [rbx]
    EXPECT_TRUE(p.faulted(Vector::kGP));
}

TEST_F(SegmentsTest, QueriesAnswerWithZF) {
    state.gpr[kRAX] = P::kKernelDS;
    state.gpr[kRCX] = 0x5555;
    p.run({0x0f, 0x03, 0xc8});  // lsl ecx, ax
    EXPECT_TRUE(state.flags.zf());
    EXPECT_EQ(state.gpr[kRCX], 0xffffffffu);
    p.run({0x0f, 0x02, 0xc8});  // lar ecx, ax
    EXPECT_EQ(state.gpr[kRCX], 0x00cf9300u);
    p.run({0x0f, 0x00, 0xe0});  // verr ax
    EXPECT_TRUE(state.flags.zf());
    p.enter_user();
    state.gpr[kRCX] = 0x5555;
    p.run({0x0f, 0x03, 0xc8});
    EXPECT_FALSE(state.flags.zf());
    EXPECT_EQ(state.gpr[kRCX], 0x5555u);
    p.run({0x0f, 0x00, 0xe8});  // verw ax
    EXPECT_FALSE(state.flags.zf());
    state.gpr[kRAX] = 0x4000;  // beyond the limit: no fault
    p.run({0x0f, 0x02, 0xc8});
    EXPECT_TRUE(p.retired(3));
    EXPECT_FALSE(state.flags.zf());
}

TEST_F(SegmentsTest, BaseInstructions) {
    state.gpr[kRAX] = 0x123456789a;
    p.run({0xf3, 0x48, 0x0f, 0xae, 0xd0});  // wrfsbase rax
    EXPECT_TRUE(p.retired(5));
    EXPECT_EQ(state.segment_base[kFS], 0x123456789au);
    p.run({0xf3, 0x0f, 0xae, 0xc1});  // rdfsbase ecx
    EXPECT_EQ(state.gpr[kRCX], 0x3456789au);
    state.gpr[kRAX] = u64{1} << 63;
    p.run({0xf3, 0x48, 0x0f, 0xae, 0xd8});  // wrgsbase rax
    EXPECT_TRUE(p.faulted(Vector::kGP));
    state.kernel_gs_base = 0x77;
    p.run({0x0f, 0x01, 0xf8});  // swapgs
    EXPECT_EQ(state.segment_base[kGS], 0x77u);
    EXPECT_EQ(state.kernel_gs_base, 0u);
    state.cr4 &= ~cr4::kFSGSBASE;
    p.run({0xf3, 0x0f, 0xae, 0xc1});
    EXPECT_TRUE(p.faulted(Vector::kUD));
}

TEST_F(SegmentsTest, SelectorsAreStored) {
    state.gpr[kRAX] = ~u64{0};
    p.run({0x8c, 0xc8});  // mov eax, cs
    EXPECT_EQ(state.gpr[kRAX], P::kKernelCS);
    state.gpr[kRAX] = ~u64{0};
    p.run({0x66, 0x8c, 0xc8});  // mov ax, cs
    EXPECT_EQ(state.gpr[kRAX], 0xffffffffffff0000 | P::kKernelCS);
    state.gpr[kRBX] = 0x8000;
    p.store<u32>(0x8000, 0xffffffff);
    p.run({0x8c, 0x0b});  // mov [rbx], cs
    EXPECT_EQ(p.load<u32>(0x8000), 0xffff0000 | P::kKernelCS);
}

}  // namespace
}  // namespace uchronia::cpu::interp
