// What keeps vector instructions from running, for every row; MXCSR's reserved bits and the two
// exceptions of floating point; MMX and the x87 tags.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "cpu/interp/sse/float_unit.h"
#include "cpu/interp/test_support/family_rows.h"
#include "cpu/interp/test_support/vector_machine.h"

namespace uchronia::cpu::interp::sse {
namespace {

using namespace test_support;

enum class Kind : u8 { kSSE, kMMX, kBoth };

// By the operands of the name: P, Q and N are MMX.
Kind kind_of(const InstructionRow& row) {
    const std::string name(row.name);
    if (name == "EMMS")
        return Kind::kMMX;
    bool has_mmx = false, has_xmm = false;
    for (std::size_t i = name.find('_'); i != std::string::npos; i = name.find('_', i + 1)) {
        const char letter = name[i + 1];
        has_mmx |= letter == 'P' || letter == 'Q' || letter == 'N';
        has_xmm |= letter == 'V' || letter == 'W' || letter == 'U' || name == "LDMXCSR_Md" ||
                   name == "STMXCSR_Md";
    }
    return has_mmx && has_xmm ? Kind::kBoth : has_mmx ? Kind::kMMX : Kind::kSSE;
}

Decoded register_form() {
    Decoded decoded{};
    decoded.op.reg = 1;
    decoded.op.rm = 2;
    decoded.op.segment = kFlatSegment;
    decoded.op.index = kZeroSlot;
    decoded.op.base = kRDI;
    decoded.operand_size = 4;
    return decoded;
}
Decoded memory_form() {
    Decoded decoded = register_form();
    decoded.op.flags = op_flag::kMemory;
    return decoded;
}

class AvailabilityTest : public testing::Test {
  protected:
    AvailabilityTest() { machine_.cpu.state.gpr[kRDI] = VectorMachine::kMemory; }

    void expect_fault(const FamilyRow& f, Vector vector) {
        machine_.run(*f.handlers, register_form());
        ASSERT_EQ(machine_.cpu.exit, Exit::kFault) << f.row.name;
        EXPECT_EQ(machine_.cpu.fault.vector, vector) << f.row.name;
    }

    VectorMachine machine_;
    CPUState& state_ = machine_.cpu.state;
};

TEST_F(AvailabilityTest, EmulationIsUndefined) {
    state_.cr0 = cr0::kEM | cr0::kTS;
    for (const FamilyRow& f : rows::mmx_sse())
        expect_fault(f, Vector::kUD);
}

TEST_F(AvailabilityTest, TaskSwitchedIsNotAvailable) {
    state_.cr0 = cr0::kTS;
    state_.x87.status = 1u << 7;
    for (const FamilyRow& f : rows::mmx_sse())
        expect_fault(f, Vector::kNM);
}

TEST_F(AvailabilityTest, SSENeedsOSFXSR) {
    state_.cr4 = 0;
    for (const FamilyRow& f : rows::mmx_sse()) {
        if (kind_of(f.row) != Kind::kMMX)
            expect_fault(f, Vector::kUD);
    }
}

TEST_F(AvailabilityTest, MMXSeesPendingX87Exceptions) {
    state_.x87.status = 1u << 7;
    for (const FamilyRow& f : rows::mmx_sse()) {
        if (kind_of(f.row) != Kind::kSSE)
            expect_fault(f, Vector::kMF);
    }
}

TEST_F(AvailabilityTest, ReservedBitsOfMXCSRFault) {
    const u32 bad = 0x20000 | 0x1f80;
    std::memcpy(machine_.memory, &bad, 4);
    machine_.run(handler::LDMXCSR_Md, memory_form());
    EXPECT_EQ(machine_.cpu.exit, Exit::kFault);
    EXPECT_EQ(machine_.cpu.fault.vector, Vector::kGP);
    EXPECT_EQ(state_.mxcsr, 0x1f80u);
}

TEST_F(AvailabilityTest, UnmaskedExceptionWritesNothing) {
    state_.mxcsr = 0x1f80 & ~(mxcsr::kZE << mxcsr::kMaskShift);
    state_.vectors[1].q = {0x3f8000003f800000, 0x3f8000003f800000, 0, 0};
    const auto before = state_.vectors[1].q;
    machine_.run(handler::DIVPS_Vps_Wps, register_form());  // by zeros
    EXPECT_EQ(machine_.cpu.fault.vector, Vector::kXF);
    EXPECT_EQ(state_.mxcsr & mxcsr::kFlags, mxcsr::kZE);
    EXPECT_EQ(state_.vectors[1].q, before);

    state_.cr4 &= ~cr4::kOSXMMEXCPT;
    machine_.run(handler::DIVPS_Vps_Wps, register_form());
    EXPECT_EQ(machine_.cpu.fault.vector, Vector::kUD);
}

TEST_F(AvailabilityTest, HostFlagsDoNotReachTheGuest) {
    const u32 all_flags = kHostMXCSR | mxcsr::kFlags;
    load_host_mxcsr(all_flags);
    state_.vectors[1].q = state_.vectors[2].q = {0x3ff0000000000000, 0, 0, 0};
    machine_.run(handler::ADDSD_Vsd_Wsd, register_form());
    EXPECT_EQ(state_.vectors[1].q[0], 0x4000000000000000u);
    EXPECT_EQ(state_.mxcsr, 0x1f80u);
}

TEST_F(AvailabilityTest, LegacySSEKeepsTheUpperHalf) {
    state_.vectors[1].q = {1, 2, 3, 4};
    machine_.run(handler::PXOR_Vx_Wx, register_form());
    EXPECT_EQ(state_.vectors[1].q[2], 3u);
    EXPECT_EQ(state_.vectors[1].q[3], 4u);
}

TEST_F(AvailabilityTest, MMXTakesOverTheX87) {
    state_.x87.status = 5u << 11;
    state_.x87.registers[2] = {0x0102030405060708, 0x3fff};
    state_.x87.registers[1] = {1, 0x3fff};
    machine_.run(handler::PADDB_Pq_Qq, register_form());
    EXPECT_EQ(state_.x87.registers[1].mantissa, 0x0102030405060709u);
    EXPECT_EQ(state_.x87.registers[1].exponent, 0xffffu);
    EXPECT_EQ(state_.x87.registers[2].exponent, 0x3fffu);
    EXPECT_EQ(state_.x87.top(), 0u);
    EXPECT_EQ(state_.x87.empty, 0u);
    machine_.run(handler::EMMS, register_form());
    EXPECT_EQ(state_.x87.empty, 0xffu);
}

TEST_F(AvailabilityTest, MisalignedOperandsFaultBeforeTheyAreAccessed) {
    state_.gpr[kRDI] = 8;  // page 0 is not there
    for (const HandlerSet* set : {&handler::MOVAPS_Vps_Wps, &handler::MOVAPS_Wps_Vps,
                                  &handler::PADDB_Vx_Wx, &handler::ADDPS_Vps_Wps}) {
        machine_.run(*set, memory_form());
        EXPECT_EQ(machine_.cpu.exit, Exit::kFault);
        EXPECT_EQ(machine_.cpu.fault.vector, Vector::kGP);
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp::sse
