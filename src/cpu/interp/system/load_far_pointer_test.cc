// LSS, LFS and LGS. tests/guest/load_far_pointer.S has them in a program, in ring 3 too.

#include <gtest/gtest.h>

#include "cpu/interp/system/test_processor.h"

namespace uchronia::cpu::interp {
namespace {

using P = TestProcessor;

class LoadFarPointerTest : public testing::Test {
  protected:
    LoadFarPointerTest() {
        state.gpr[kRBX] = kPointer;
        state.gpr[kRAX] = kOld;
    }

    void store_pointer(u64 offset, unsigned offset_bytes, u16 selector) {
        p.store<u64>(kPointer, offset);
        p.store<u16>(kPointer + offset_bytes, selector);
    }

    static constexpr u64 kPointer = 0x8000, kOld = 0x1122334455667788;
    TestProcessor p;
    CPUState& state = p.cpu.state;
};

TEST_F(LoadFarPointerTest, OffsetsHave16Or32Bits) {
    store_pointer(0x89abcdef, 4, P::kUserDS);
    p.run({0x0f, 0xb4, 0x03});  // lfs eax, [rbx]
    EXPECT_TRUE(p.retired(3));
    EXPECT_EQ(state.gpr[kRAX], 0x89abcdefu);
    EXPECT_EQ(state.segments[kFS].selector, P::kUserDS);

    state.gpr[kRAX] = kOld;
    store_pointer(0x5678, 2, P::kKernelDS);
    p.run({0x66, 0x0f, 0xb5, 0x03});  // lgs ax, [rbx]
    EXPECT_TRUE(p.retired(4));
    EXPECT_EQ(state.gpr[kRAX], (kOld & ~u64{0xffff}) | 0x5678);
    EXPECT_EQ(state.segments[kGS].selector, P::kKernelDS);
}

TEST_F(LoadFarPointerTest, REXWDoesNotWidenTheOffset) {
    store_pointer(0xffff0000'89abcdef, 4, P::kUserDS);
    p.run({0x48, 0x0f, 0xb5, 0x03});  // lgs rax, [rbx]
    EXPECT_TRUE(p.retired(4));
    EXPECT_EQ(state.gpr[kRAX], 0x89abcdefu);
    EXPECT_EQ(state.segments[kGS].selector, P::kUserDS);
    p.run({0x66, 0x48, 0x0f, 0xb5, 0x03});  // REX.W wins over 66h
    EXPECT_EQ(state.gpr[kRAX], 0x89abcdefu);
}

TEST_F(LoadFarPointerTest, LSSLeavesNoInterruptShadow) {
    store_pointer(0x1000, 4, P::kKernelDS);
    p.run({0x0f, 0xb2, 0x23});  // lss esp, [rbx]
    EXPECT_TRUE(p.retired(3));
    EXPECT_EQ(state.gpr[kRSP], 0x1000u);
    EXPECT_EQ(state.segments[kSS].selector, P::kKernelDS);
    EXPECT_FALSE(state.interrupt_shadow);
}

TEST_F(LoadFarPointerTest, AFaultLeavesBothRegisters) {
    const u16 before = state.segments[kFS].selector;
    store_pointer(1, 4, P::kAbsentDS);
    p.run({0x0f, 0xb4, 0x03});
    EXPECT_TRUE(p.faulted(Vector::kNP, P::kAbsentDS));
    p.run({0x0f, 0xb2, 0x03});  // a segment of ring 3
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kAbsentDS));
    store_pointer(1, 4, P::kTSSSelector);
    p.run({0x0f, 0xb4, 0x03});
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kTSSSelector));
    state.gpr[kRBX] = P::kNotMapped;
    p.run({0x0f, 0xb4, 0x03});
    EXPECT_TRUE(p.cpu.exit == Exit::kFault && p.cpu.fault.vector == Vector::kPF);
    EXPECT_EQ(state.gpr[kRAX], kOld);
    EXPECT_EQ(state.segments[kFS].selector, before);
}

}  // namespace
}  // namespace uchronia::cpu::interp
