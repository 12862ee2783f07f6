#include "cpu/interp/system/delivery.h"

#include <gtest/gtest.h>

#include "cpu/interp/system/debug.h"
#include "cpu/interp/system/test_processor.h"

namespace uchronia::cpu::interp {
namespace {

using P = TestProcessor;

// A frame as it lies in memory, from the new RSP upwards.
struct Frame {
    u64 rip, cs, rflags, rsp, ss;
};

class DeliveryTest : public testing::Test {
  protected:
    void fault(Vector vector, u32 error_code = 0, u64 address = 0) {
        p.cpu.fault = {vector, error_code, address};
        p.cpu.exit = Exit::kFault;
        deliver_fault(p.cpu);
    }
    Frame frame(bool with_error_code = false) {
        return p.load<Frame>(state.gpr[kRSP] + (with_error_code ? 8 : 0));
    }
    static u64 handler_of(unsigned vector) { return P::kHandler + 16 * vector; }

    TestProcessor p;
    CPUState& state = p.cpu.state;
};

TEST_F(DeliveryTest, FaultInTheKernelStaysOnItsStackAligned) {
    state.gpr[kRSP] = P::kKernelStack - 0x108 + 3;
    const u64 old_rsp = state.gpr[kRSP];
    state.set_rflags(rflags::kFixed | rflags::kIF | rflags::kTF | rflags::kCF);
    fault(Vector::kUD);
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, handler_of(6));
    EXPECT_EQ(state.gpr[kRSP], (old_rsp & ~u64{15}) - 40);
    const Frame f = frame();
    EXPECT_EQ(f.rip, P::kCode);
    EXPECT_EQ(f.cs, P::kKernelCS);
    EXPECT_EQ(f.rflags, rflags::kFixed | rflags::kIF | rflags::kTF | rflags::kCF | rflags::kRF);
    EXPECT_EQ(f.rsp, old_rsp);
    EXPECT_EQ(f.ss, 0u);
    EXPECT_EQ(state.rflags(), rflags::kFixed | rflags::kCF);
}

TEST_F(DeliveryTest, InterruptFromUserChangesPrivilegeAndStack) {
    p.enter_user();
    state.set_rflags(rflags::kFixed | rflags::kIF);
    state.halted = state.interrupt_shadow = true;
    deliver_interrupt(p.cpu, 0x31);
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.cpl(), 0u);
    EXPECT_EQ(state.segments[kSS].selector, 0u);
    EXPECT_EQ(state.gpr[kRSP], P::kKernelStack - 40);
    const Frame f = frame();
    EXPECT_EQ(f.cs, P::kUserCS);
    EXPECT_EQ(f.ss, P::kUserDS);
    EXPECT_EQ(f.rsp, P::kUserStack);
    EXPECT_EQ(f.rflags, rflags::kFixed | rflags::kIF);  // no RF
    EXPECT_FALSE(state.halted);
    EXPECT_FALSE(state.interrupt_shadow);
}

TEST_F(DeliveryTest, TrapGatesLeaveIF) {
    p.set_gate(0x31, P::kHandler, P::kTrapGate);
    state.set_rflags(rflags::kFixed | rflags::kIF);
    deliver_interrupt(p.cpu, 0x31);
    EXPECT_EQ(state.rflags(), rflags::kFixed | rflags::kIF);
}

TEST_F(DeliveryTest, ISTSwitchesTheStackAtTheSamePrivilege) {
    p.set_gate(2, P::kHandler, P::kInterruptGate, 1);
    state.nmi_pending = true;
    deliver_nmi(p.cpu);
    EXPECT_EQ(state.gpr[kRSP], P::kISTStack - 40);
    EXPECT_TRUE(state.nmi_masked);
    EXPECT_FALSE(state.nmi_pending);
}

TEST_F(DeliveryTest, PageFaultPushesItsErrorCodeAndSetsCR2) {
    p.enter_user();
    // User code may set AC; the CPU's own misaligned reads of the TSS must not care.
    state.set_rflags(rflags::kFixed | rflags::kAC);
    fault(Vector::kPF, page_fault::kWrite | page_fault::kUser, 0x7777000);
    EXPECT_EQ(state.cr2, 0x7777000u);
    EXPECT_EQ(state.rip, handler_of(14));
    EXPECT_EQ(p.load<u64>(state.gpr[kRSP]), 6u);
    EXPECT_EQ(frame(true).rip, P::kCode);
}

TEST_F(DeliveryTest, DebugExceptionClearsGDAndPushesNoRF) {
    state.dr7 |= dr7::kGD;
    fault(Vector::kDB);
    EXPECT_EQ(state.dr7 & dr7::kGD, 0u);
    EXPECT_EQ(frame().rflags & rflags::kRF, 0u);
}

TEST_F(DeliveryTest, ContributoryFaultsMakeADoubleFault) {
    p.set_gate(13, P::kHandler, 0x0e);  // #GP's gate is not present
    fault(Vector::kGP, 0x18);
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, handler_of(8));
    EXPECT_EQ(p.load<u64>(state.gpr[kRSP]), 0u);
}

TEST_F(DeliveryTest, BenignFaultsAreReplacedByTheSecond) {
    p.set_gate(6, P::kHandler, 0x0e);
    fault(Vector::kUD);
    EXPECT_EQ(state.rip, handler_of(11));                 // #NP
    EXPECT_EQ(p.load<u64>(state.gpr[kRSP]), 6u * 8 + 3);  // IDT and external
}

TEST_F(DeliveryTest, PageFaultWhilePushingAPageFaultIsADoubleFault) {
    p.set_gate(8, P::kHandler + 0x80, P::kInterruptGate, 1);
    state.gpr[kRSP] = P::kNotMapped + 0x800;
    fault(Vector::kPF, 0, 0x1234);
    EXPECT_EQ(state.rip, handler_of(8));
    EXPECT_EQ(state.gpr[kRSP], P::kISTStack - 48);
    EXPECT_EQ(state.cr2, P::kNotMapped + 0x800 - 48);
}

TEST_F(DeliveryTest, FaultInADoubleFaultShutsDown) {
    state.gpr[kRSP] = P::kNotMapped + 0x800;
    fault(Vector::kPF, 0, 0x1234);
    EXPECT_EQ(p.cpu.exit, Exit::kShutdown);
}

TEST_F(DeliveryTest, EmptyIDTShutsDown) {
    state.idtr.limit = 0;
    fault(Vector::kUD);
    EXPECT_EQ(p.cpu.exit, Exit::kShutdown);
}

TEST_F(DeliveryTest, StackThatIsNotCanonicalIsAStackFault) {
    p.set_gate(12, P::kHandler + 12 * 16, P::kInterruptGate, 1);
    state.gpr[kRSP] = 0x0000900000000000;
    fault(Vector::kUD);
    EXPECT_EQ(state.rip, handler_of(12));
}

TEST_F(DeliveryTest, StackBeyondTheTSSIsAnInvalidTSS) {
    p.enter_user();
    p.set_gate(10, P::kHandler + 10 * 16, P::kInterruptGate);
    state.tr.limit = 0xb;
    p.set_gate(3, P::kHandler, P::kInterruptGate, 1);
    fault(Vector::kBP);
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, handler_of(10));
    EXPECT_EQ(p.load<u64>(state.gpr[kRSP]), P::kTSSSelector | 1u);
}

TEST_F(DeliveryTest, SoftwareInterruptsCheckTheGatesPrivilege) {
    p.enter_user();
    p.run({0xcd, 0x80});
    EXPECT_TRUE(p.faulted(Vector::kGP, 0x80 * 8 + 2));
    p.set_gate(0x80, P::kHandler, P::kUserGate);
    p.run({0xcd, 0x80});
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, P::kHandler);
    EXPECT_EQ(frame().rip, P::kCode + 2);
    EXPECT_EQ(frame().rflags & rflags::kRF, 0u);
}

TEST_F(DeliveryTest, BreakpointAndINT1) {
    p.enter_user();
    p.run({0xf1});  // INT1 is not checked
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, handler_of(1));
    EXPECT_EQ(frame().rip, P::kCode + 1);
    p.enter_user();
    p.run({0xcc});
    EXPECT_TRUE(p.faulted(Vector::kGP, 3 * 8 + 2));
}

TEST_F(DeliveryTest, IRETUndoesAnInterruptFromUser) {
    p.enter_user();
    state.set_rflags(rflags::kFixed | rflags::kIF | rflags::kZF);
    deliver_interrupt(p.cpu, 0x31);
    state.nmi_masked = true;
    const u64 rsp = state.gpr[kRSP];
    // A handler's own change of the frame: resume with RF.
    p.store<u64>(rsp + 16, p.load<u64>(rsp + 16) | rflags::kRF);
    p.run({0x48, 0xcf});
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, P::kCode);
    EXPECT_EQ(state.cpl(), 3u);
    EXPECT_EQ(state.segments[kSS].selector, P::kUserDS);
    EXPECT_EQ(state.gpr[kRSP], P::kUserStack);
    EXPECT_EQ(state.rflags(), rflags::kFixed | rflags::kIF | rflags::kZF | rflags::kRF);
    EXPECT_FALSE(state.nmi_masked);
}

}  // namespace
}  // namespace uchronia::cpu::interp
