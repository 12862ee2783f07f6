#include "cpu/interp/system/debug.h"

#include <gtest/gtest.h>

#include "cpu/interp/system/test_processor.h"

namespace uchronia::cpu::interp {
namespace {

// DR7 with breakpoint `index` enabled.
u64 enable(unsigned index, u64 condition, u64 length_code) {
    return dr7::kFixed | u64{1} << (2 * index) | condition << (16 + 4 * index) |
           length_code << (18 + 4 * index);
}

TEST(Debug, CodeBreakpointsMatchTheFirstByteOnly) {
    CPUState state;
    state.dr[2] = 0x401000;
    state.dr7 = enable(2, 0, 0);
    EXPECT_TRUE(breakpoints_armed(state, BreakpointAccess::kExecute));
    EXPECT_FALSE(breakpoints_armed(state, BreakpointAccess::kWrite));
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kExecute, 0x401000, 1), 4u);
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kExecute, 0x400fff, 4), 0u);
    state.dr7 = dr7::kFixed;
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kExecute, 0x401000, 1), 0u);
}

TEST(Debug, DataBreakpointsMatchOverlaps) {
    CPUState state;
    state.dr[0] = 0x1006;  // aligned down to its length
    state.dr7 = enable(0, 1, 3);
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kWrite, 0x1004, 1), 1u);
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kWrite, 0x1000, 8), 1u);
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kWrite, 0x1007, 8), 1u);
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kWrite, 0x1008, 8), 0u);
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kWrite, 0x1000, 4), 0u);
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kRead, 0x1004, 4), 0u);
    state.dr7 = enable(0, 3, 3);
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kRead, 0x1004, 4), 1u);
    EXPECT_EQ(breakpoints_hit(state, BreakpointAccess::kWrite, 0x1004, 4), 1u);
}

TEST(Debug, PortBreakpointsNeedDE) {
    TestProcessor p;
    p.cpu.state.dr[1] = 0x60;
    p.cpu.state.dr7 = enable(1, 2, 0);
    p.run({0xe4, 0x60});
    EXPECT_EQ(p.cpu.breakpoint_hits, 0u);
    p.cpu.state.cr4 |= cr4::kDE;
    p.run({0xe4, 0x60});
    EXPECT_EQ(p.cpu.breakpoint_hits, 2u);
}

TEST(Debug, ReportsReplaceTheMatchesAndKeepTheRest) {
    CPUState state;
    report_debug(state, dr6::kBS);
    report_debug(state, 2);
    EXPECT_EQ(state.dr6, dr6::kFixed | dr6::kBS | 2u);
    report_debug(state, 1);
    EXPECT_EQ(state.dr6, dr6::kFixed | dr6::kBS | 1u);
}

TEST(Debug, RegistersReadAndWrite) {
    TestProcessor p;
    CPUState& state = p.cpu.state;
    state.gpr[kRAX] = 0xffffffff;
    p.run({0x0f, 0x23, 0xf8});  // mov dr7, rax
    EXPECT_TRUE(p.retired(3));
    EXPECT_EQ(state.dr7, (0xffffffffu & dr7::kWritable) | dr7::kFixed);
    p.run({0x0f, 0x21, 0xc1});  // mov rcx, dr0, with GD set
    EXPECT_TRUE(p.faulted(Vector::kDB));
    EXPECT_EQ(state.dr6 & dr6::kBD, dr6::kBD);
    state.dr7 = dr7::kFixed;
    state.gpr[kRAX] = 0;
    p.run({0x0f, 0x23, 0xf0});  // mov dr6, rax
    EXPECT_EQ(state.dr6, dr6::kFixed);
    p.run({0x0f, 0x21, 0xe1});  // mov rcx, dr4: an alias of dr6
    EXPECT_EQ(state.gpr[kRCX], dr6::kFixed);
    state.cr4 |= cr4::kDE;
    p.run({0x0f, 0x21, 0xe1});
    EXPECT_TRUE(p.faulted(Vector::kUD));
    state.gpr[kRAX] = u64{1} << 32;
    p.run({0x0f, 0x23, 0xf8});
    EXPECT_TRUE(p.faulted(Vector::kGP));
}

}  // namespace
}  // namespace uchronia::cpu::interp
