// Far transfers, system calls, ports and control registers, instruction by instruction.

#include <gtest/gtest.h>

#include "cpu/interp/system/test_processor.h"

namespace uchronia::cpu::interp {
namespace {

using P = TestProcessor;

class SystemInstructionTest : public testing::Test {
  protected:
    TestProcessor p;
    CPUState& state = p.cpu.state;
};

TEST_F(SystemInstructionTest, SYSCALLAndSYSRET) {
    state.star = u64{0x23} << 48 | u64{P::kKernelCS} << 32;
    state.lstar = 0xffffffff81800000;
    state.sfmask = rflags::kIF | rflags::kTF | rflags::kAC;
    p.enter_user();
    state.set_rflags(rflags::kFixed | rflags::kIF | rflags::kCF | rflags::kRF);
    p.run({0x0f, 0x05});
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, state.lstar);
    EXPECT_EQ(state.cpl(), 0u);
    EXPECT_EQ(state.segments[kSS].selector, P::kKernelDS);
    EXPECT_EQ(state.gpr[kRCX], P::kCode + 2);
    EXPECT_EQ(state.gpr[kR11], rflags::kFixed | rflags::kIF | rflags::kCF);
    EXPECT_EQ(state.rflags(), rflags::kFixed | rflags::kCF);
    EXPECT_EQ(state.gpr[kRSP], P::kUserStack);

    state.gpr[kR11] |= rflags::kRF | rflags::kVM;
    p.run({0x48, 0x0f, 0x07});
    EXPECT_EQ(state.rip, P::kCode + 2);
    EXPECT_EQ(state.segments[kCS].selector, P::kUserCS);
    EXPECT_EQ(state.segments[kSS].selector, P::kUserDS);
    EXPECT_EQ(state.rflags(), rflags::kFixed | rflags::kIF | rflags::kCF);

    p.run({0x48, 0x0f, 0x07});  // not from ring 3
    EXPECT_TRUE(p.faulted(Vector::kGP));
    state.efer &= ~efer::kSCE;
    p.run({0x0f, 0x05});
    EXPECT_TRUE(p.faulted(Vector::kUD));
}

TEST_F(SystemInstructionTest, SYSRETToCompatibilityMode) {
    state.star = u64{0x23} << 48;
    state.gpr[kRCX] = 0xffffffff00001000;
    p.run({0x0f, 0x07});
    EXPECT_EQ(state.rip, 0x1000u);
    EXPECT_EQ(state.segments[kCS].selector, 0x23u);
    EXPECT_EQ(state.segments[kCS].attributes & (Segment::kLong | Segment::kBig), Segment::kBig);
}

TEST_F(SystemInstructionTest, FarJumpsCallsAndReturnsInOneRing) {
    state.gpr[kRBX] = 0x8000;
    p.store<u32>(0x8000, 0x20000);
    p.store<u16>(0x8004, P::kKernelCS);
    p.run({0xff, 0x2b});  // jmp far [rbx]
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, 0x20000u);
    const u64 rsp = state.gpr[kRSP];
    p.run({0x48, 0xff, 0x1b});  // call far [rbx], pushing 64 bits each
    EXPECT_EQ(state.rip, 0x20000u);
    EXPECT_EQ(state.gpr[kRSP], rsp - 16);
    EXPECT_EQ(p.load<u64>(rsp - 16), P::kCode + 3);
    EXPECT_EQ(p.load<u64>(rsp - 8), P::kKernelCS);
    p.run({0x48, 0xcb});  // lretq
    EXPECT_EQ(state.rip, P::kCode + 3);
    EXPECT_EQ(state.gpr[kRSP], rsp);
    p.store<u16>(0x8004, P::kUserCS);  // outwards
    p.run({0xff, 0x2b});
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kUserCS & ~3u));
    p.store<u16>(0x8004, 3);
    p.run({0xff, 0x2b});
    EXPECT_TRUE(p.faulted(Vector::kGP));
}

TEST_F(SystemInstructionTest, CallGateInwardsAndReturnOutwards) {
    p.enter_user();
    state.set_segment(kDS, {0, ~u32{0}, P::kKernelDS, descriptor::kFlatData});
    state.gpr[kRBX] = 0x8000;
    p.store<u16>(0x8004, P::kCallGateSelector | 3);
    p.run({0xff, 0x1b});
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, P::kHandler);
    EXPECT_EQ(state.cpl(), 0u);
    EXPECT_EQ(state.gpr[kRSP], P::kKernelStack - 32);
    EXPECT_EQ(p.load<u64>(state.gpr[kRSP]), P::kCode + 2);
    EXPECT_EQ(p.load<u64>(state.gpr[kRSP] + 8), P::kUserCS);
    EXPECT_EQ(p.load<u64>(state.gpr[kRSP] + 16), P::kUserStack);
    EXPECT_EQ(p.load<u64>(state.gpr[kRSP] + 24), P::kUserDS);
    p.run({0x48, 0xcb});
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, P::kCode + 2);
    EXPECT_EQ(state.cpl(), 3u);
    EXPECT_EQ(state.gpr[kRSP], P::kUserStack);
    EXPECT_EQ(state.segments[kDS].selector, 0u);  // an inner segment is dropped
}

TEST_F(SystemInstructionTest, IRETRefuses) {
    const auto frame = [&](u64 rip, u64 cs, u64 ss) {
        const u64 values[] = {rip, cs, rflags::kFixed, P::kUserStack, ss};
        for (unsigned i = 0; i < 5; ++i)
            p.store<u64>(state.gpr[kRSP] + 8 * i, values[i]);
    };
    frame(0x0000900000000000, P::kUserCS, P::kUserDS);
    p.run({0x48, 0xcf});
    EXPECT_TRUE(p.faulted(Vector::kGP));
    EXPECT_EQ(state.cpl(), 0u);
    frame(0x1000, P::kUserCS, 0);
    p.run({0x48, 0xcf});
    EXPECT_TRUE(p.faulted(Vector::kGP));
    frame(0x1000, P::kUserDS, P::kUserDS);
    p.run({0x48, 0xcf});
    EXPECT_TRUE(p.faulted(Vector::kGP, P::kUserDS & ~3u));
    frame(0x1000, P::kKernelCS, 0);  // null SS in ring 0 is the rule in 64-bit mode
    p.run({0x48, 0xcf});
    EXPECT_EQ(p.cpu.exit, Exit::kNone);
    EXPECT_EQ(state.rip, 0x1000u);
}

TEST_F(SystemInstructionTest, UserFlagsOfIRETKeepIOPLAndIF) {
    p.enter_user();
    state.set_rflags(rflags::kFixed | rflags::kIF);
    const u64 values[] = {0x1000, P::kUserCS, rflags::kFixed | rflags::kIOPL | rflags::kID,
                          P::kUserStack, P::kUserDS};
    for (unsigned i = 0; i < 5; ++i)
        p.store<u64>(state.gpr[kRSP] + 8 * i, values[i]);
    p.run({0x48, 0xcf});
    EXPECT_EQ(state.rflags(), rflags::kFixed | rflags::kIF | rflags::kID);
}

TEST_F(SystemInstructionTest, InterruptFlagAndHalt) {
    p.run({0xfb});
    EXPECT_TRUE(p.retired(1));
    EXPECT_TRUE(state.interrupt_shadow);
    EXPECT_EQ(state.system_flags & rflags::kIF, rflags::kIF);
    state.interrupt_shadow = false;
    p.run({0xfb});  // IF was set already
    EXPECT_FALSE(state.interrupt_shadow);
    p.run({0xf4});
    EXPECT_EQ(p.cpu.exit, Exit::kHalt);
    EXPECT_TRUE(state.halted);
    EXPECT_EQ(state.rip, P::kCode + 1);
    p.enter_user();
    for (const u8 opcode : {u8{0xfa}, u8{0xfb}, u8{0xf4}}) {
        p.run({opcode});
        EXPECT_TRUE(p.faulted(Vector::kGP)) << std::hex << int{opcode};
    }
    p.run({0x0f, 0x01, 0xcb});  // STAC: #UD outside ring 0
    EXPECT_TRUE(p.faulted(Vector::kUD));
}

TEST_F(SystemInstructionTest, ControlRegisters) {
    p.run({0x0f, 0x20, 0xc0});  // mov rax, cr0
    EXPECT_EQ(state.gpr[kRAX], state.cr0);
    state.gpr[kRAX] = state.cr0 & ~cr0::kPG;
    p.run({0x0f, 0x22, 0xc0});
    EXPECT_TRUE(p.faulted(Vector::kGP));
    state.gpr[kRAX] = state.cr0 | cr0::kTS;
    p.run({0x0f, 0x22, 0xc0});
    EXPECT_TRUE(p.retired(3));
    EXPECT_NE(state.cr0 & cr0::kTS, 0u);
    p.run({0x0f, 0x06});  // clts
    EXPECT_EQ(state.cr0 & cr0::kTS, 0u);
    state.gpr[kRAX] = state.cr4 | u64{1} << 17;  // PCIDE is not in the model
    p.run({0x0f, 0x22, 0xe0});
    EXPECT_TRUE(p.faulted(Vector::kGP));
    state.gpr[kRAX] = u64{1} << 40;
    p.run({0x0f, 0x22, 0xd8});  // mov cr3, rax
    EXPECT_TRUE(p.faulted(Vector::kGP));
    state.gpr[kRAX] = 9;
    p.run({0x44, 0x0f, 0x22, 0xc0});  // mov cr8, rax
    EXPECT_EQ(p.platform.priority, 9u);
    p.run({0x0f, 0x22, 0xc8});  // cr1
    EXPECT_TRUE(p.faulted(Vector::kUD));
    p.enter_user();
    p.run({0x0f, 0x20, 0xc0});
    EXPECT_TRUE(p.faulted(Vector::kGP));
    p.run({0x0f, 0x01, 0xe1});  // smsw ecx is allowed
    EXPECT_EQ(state.gpr[kRCX], static_cast<u32>(state.cr0));
}

TEST_F(SystemInstructionTest, Ports) {
    state.gpr[kRAX] = ~u64{0};
    p.run({0xe4, 0x71});  // in al, 71h
    EXPECT_EQ(state.gpr[kRAX], 0xffffffffffffff71);
    state.gpr[kRDX] = 0x3f8;
    p.run({0xed});  // in eax, dx
    EXPECT_EQ(state.gpr[kRAX], 0xa50003f8u);
    p.run({0xee});  // out dx, al
    ASSERT_EQ(p.platform.port_writes.size(), 1u);
    EXPECT_EQ(p.platform.port_writes[0], (TestPlatform::PortWrite{0x3f8, 0xf8}));
}

TEST_F(SystemInstructionTest, PortsFollowThePermissionBitmap) {
    p.enter_user();
    state.gpr[kRDX] = 0x3f8;
    p.run({0xec});
    EXPECT_TRUE(p.faulted(Vector::kGP));
    state.tr.limit = 0x68 + 0x80;
    p.store<u16>(P::kTSS + 0x66, 0x68);
    p.store<u16>(P::kTSS + 0x68 + 0x7f, 0x00fe);  // 3f8h only
    p.run({0xec});
    EXPECT_TRUE(p.retired(1));
    p.run({0xed});  // 3f9h to 3fbh too
    EXPECT_TRUE(p.faulted(Vector::kGP));
    state.system_flags |= rflags::kIOPL;
    p.run({0xed});
    EXPECT_TRUE(p.retired(1));
}

TEST_F(SystemInstructionTest, RepeatedPortStringsAreATickAnIteration) {
    state.gpr[kRDX] = 0x60;
    state.gpr[kRSI] = 0x8000;
    state.gpr[kRCX] = 2;
    p.store<u16>(0x8000, 0xbbaa);
    p.run({0xf3, 0x6e});  // rep outsb
    EXPECT_EQ(state.rip, P::kCode);
    EXPECT_EQ(state.gpr[kRCX], 1u);
    p.run({0xf3, 0x6e});
    EXPECT_TRUE(p.retired(2));
    p.run({0xf3, 0x6e});  // nothing left
    EXPECT_TRUE(p.retired(2));
    ASSERT_EQ(p.platform.port_writes.size(), 2u);
    EXPECT_EQ(p.platform.port_writes[1].value, 0xbbu);
    state.gpr[kRDI] = 0x8010;
    state.set_rflags(rflags::kFixed | rflags::kDF);
    p.run({0x6d});  // insd
    EXPECT_EQ(p.load<u32>(0x8010), 0xa5000060u);
    EXPECT_EQ(state.gpr[kRDI], 0x800cu);
    state.gpr[kRDI] = P::kNotMapped;
    p.run({0x6d});
    EXPECT_EQ(p.cpu.fault.vector, Vector::kPF);
}

TEST_F(SystemInstructionTest, EntropyAndHypercall) {
    p.enter_user();
    p.run({0x66, 0x0f, 0xc7, 0xf0});  // rdrand ax
    EXPECT_EQ(state.gpr[kRAX], 0x7788u);
    EXPECT_TRUE(state.flags.cf());
    EXPECT_FALSE(state.flags.zf());
    p.run({0x48, 0x0f, 0xc7, 0xf9});  // rdseed rcx
    EXPECT_EQ(state.gpr[kRCX], 0x1122334455667788u);
    p.run({0x0f, 0x04});
    EXPECT_TRUE(p.retired(2));
    EXPECT_EQ(p.platform.hypercalls, 1u);
    p.run({0x0f, 0x33});  // rdpmc
    EXPECT_TRUE(p.faulted(Vector::kGP));
}

}  // namespace
}  // namespace uchronia::cpu::interp
