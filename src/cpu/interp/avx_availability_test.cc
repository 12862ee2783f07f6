// What keeps vector instructions with VEX from running, for every row of them.
#include <gtest/gtest.h>

#include <array>

#include "cpu/interp/test_support/family_rows.h"
#include "cpu/interp/test_support/vector_machine.h"

namespace uchronia::cpu::interp {
namespace {

using namespace test_support;

class AVXAvailabilityTest : public testing::Test {
  protected:
    AVXAvailabilityTest() { state_.gpr[kRDI] = AVXMachine::kMemory; }

    void expect_fault_of(const FamilyRow& f, const Decoded& decoded, Vector vector) {
        state_.vectors[3].q = {1u << 31, 2, 3, 4};
        machine_.run(*f.handlers, decoded);
        ASSERT_EQ(machine_.cpu.exit, Exit::kFault) << f.row.name;
        ASSERT_EQ(machine_.cpu.fault.vector, vector) << f.row.name;
        ASSERT_EQ(state_.vectors[3].q, (std::array<u64, 4>{1u << 31, 2, 3, 4})) << f.row.name;
    }

    // In either form, with nothing changed.
    void expect_fault(Vector vector) {
        Decoded decoded{};
        decoded.op.reg = 1;
        decoded.op.rm = 2;
        decoded.op.immediate = 3u << 8;
        decoded.op.segment = kFlatSegment;
        decoded.op.base = kRDI;
        decoded.op.index = 4;
        decoded.operand_size = 4;
        for (const u8 flags : {u8{0}, op_flag::kMemory}) {
            decoded.op.flags = flags;
            for (const FamilyRows& family : {rows::avx_float(), rows::avx_integer()})
                for (const FamilyRow& f : family)
                    expect_fault_of(f, decoded, vector);
        }
    }

    AVXMachine machine_;
    CPUState& state_ = machine_.cpu.state;
};

TEST_F(AVXAvailabilityTest, NeedsOSXSAVE) {
    state_.cr4 &= ~cr4::kOSXSAVE;
    expect_fault(Vector::kUD);
}

TEST_F(AVXAvailabilityTest, NeedsTheAVXComponent) {
    state_.xcr0 = 3;
    expect_fault(Vector::kUD);
}

TEST_F(AVXAvailabilityTest, TaskSwitchedIsNotAvailable) {
    state_.cr0 = cr0::kTS;
    expect_fault(Vector::kNM);
}

}  // namespace
}  // namespace uchronia::cpu::interp
