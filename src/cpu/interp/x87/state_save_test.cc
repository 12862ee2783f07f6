// Memory images of the unit: FXSAVE, XSAVE, FNSTENV and FNSAVE byte by byte; the checks of the
// instructions that read them back; and XCR0.
#include <gtest/gtest.h>

#include "cpu/interp/x87/test_machine.h"

namespace uchronia::cpu::interp::x87 {
namespace {

class StateSave : public testing::Test {
  protected:
    StateSave() {
        X87State& x = machine.x87();
        x.control = 0x27f;
        x.status = 0x3800 | status::kC3;  // TOP = 7
        x.empty = 0x7e;                   // physical 7 and 0: ST(0) and ST(1)
        x.opcode = 0x123;
        x.instruction = 0x1122334455667788;
        x.data = 0x99aabbccddeeff00;
        x.registers[7] = {0xc000000000000001, 0x4001};
        x.registers[0] = {0, 0};
        cpu.state.mxcsr = 0x1fa0;
        for (unsigned i = 0; i < 16; ++i)
            cpu.state.vectors[i].q = {i + 1, i + 101, 0, 0};
        cpu.state.xcr0 = 3;
        cpu.state.gpr[kRAX] = 7;
        std::memset(machine.memory, 0xcc, sizeof machine.memory);
    }

    void run(const HandlerSet& set, i32 displacement = 0, u8 flags = 0) {
        machine.run(set, TestMachine::memory_op(displacement, flags));
    }
    template <class T>
    T at(u32 offset) const {
        T value;
        std::memcpy(&value, machine.memory + offset, sizeof value);
        return value;
    }
    template <class T>
    void put(u32 offset, T value) {
        std::memcpy(machine.memory + offset, &value, sizeof value);
    }
    void expect_fault(Vector vector) {
        EXPECT_EQ(cpu.exit, Exit::kFault);
        EXPECT_EQ(cpu.fault.vector, vector);
        EXPECT_EQ(cpu.fault.error_code, 0u);
    }
    void expect_legacy_area() {
        EXPECT_EQ(at<u16>(0), 0x27f);
        EXPECT_EQ(at<u16>(2), 0x3800 | status::kC3);
        EXPECT_EQ(at<u16>(4), 0x81);
        EXPECT_EQ(at<u16>(6), 0x123);
        EXPECT_EQ(at<u64>(8), 0x1122334455667788u);
        EXPECT_EQ(at<u64>(16), 0x99aabbccddeeff00u);
        EXPECT_EQ(at<u64>(32), 0xc000000000000001u);
        EXPECT_EQ(at<u64>(40), 0x4001u);
    }

    TestMachine machine;
    VCPU& cpu = machine.cpu;
};

TEST_F(StateSave, FXSAVELayout) {
    run(handler::FXSAVE64_m);
    EXPECT_EQ(cpu.exit, Exit::kNone);
    expect_legacy_area();
    EXPECT_EQ(at<u32>(24), 0x1fa0u);
    EXPECT_EQ(at<u32>(28), 0xffffu);
    EXPECT_EQ(at<u64>(160 + 16 * 15), 16u);
    EXPECT_EQ(at<u64>(160 + 16 * 15 + 8), 116u);
    EXPECT_EQ(at<u8>(416), 0xcc);
}

TEST_F(StateSave, FXSAVEOutside64BitMode) {
    cpu.state.segments[kCS].attributes = 0;
    run(handler::FXSAVE_m);
    EXPECT_EQ(at<u64>(8), 0x55667788u);
    EXPECT_EQ(at<u64>(160 + 16 * 7), 8u);
    EXPECT_EQ(at<u8>(160 + 16 * 8), 0xcc);
}

TEST_F(StateSave, FXRSTORGivesBackWhatFXSAVETook) {
    run(handler::FXSAVE64_m);
    const X87State saved = machine.x87();
    machine.x87() = X87State{};
    cpu.state.mxcsr = 0;
    cpu.state.vectors = {};
    run(handler::FXRSTOR64_m);
    EXPECT_EQ(cpu.exit, Exit::kNone);
    EXPECT_EQ(machine.x87().status, saved.status);
    EXPECT_EQ(machine.x87().empty, saved.empty);
    EXPECT_EQ(machine.x87().data, saved.data);
    EXPECT_EQ(machine.x87().registers[7].mantissa, saved.registers[7].mantissa);
    EXPECT_EQ(cpu.state.mxcsr, 0x1fa0u);
    EXPECT_EQ(cpu.state.vectors[15].q[0], 16u);
}

TEST_F(StateSave, FXFaults) {
    run(handler::FXSAVE64_m, 8);
    expect_fault(Vector::kGP);
    run(handler::FXSAVE64_m);
    put<u32>(24, 0x10000);
    cpu.state.mxcsr = 5;
    run(handler::FXRSTOR64_m);
    expect_fault(Vector::kGP);
    EXPECT_EQ(cpu.state.mxcsr, 5u);
    cpu.state.cr0 |= cr0::kTS;
    run(handler::FXSAVE64_m);
    expect_fault(Vector::kNM);
}

TEST_F(StateSave, XSAVEWritesRequestedComponents) {
    put<u64>(512, 0);
    run(handler::XSAVE64_m);
    expect_legacy_area();
    EXPECT_EQ(at<u64>(512), 3u);
    EXPECT_EQ(at<u8>(520), 0xcc);
    EXPECT_EQ(at<u64>(160 + 16), 2u);
}

TEST_F(StateSave, XSAVEOfX87Only) {
    put<u64>(512, 2);
    cpu.state.gpr[kRAX] = 1;
    run(handler::XSAVE64_m);
    expect_legacy_area();
    EXPECT_EQ(at<u64>(512), 3u);
    EXPECT_EQ(at<u32>(24), 0xccccccccu);
    EXPECT_EQ(at<u8>(160), 0xcc);
}

TEST_F(StateSave, InitialConfigurationIsNotInUse) {
    machine.x87() = X87State{};
    put<u64>(512, 3);
    run(handler::XSAVE64_m);
    EXPECT_EQ(at<u64>(512), 2u);
    EXPECT_EQ(at<u16>(0), 0x37f);
    std::memset(machine.memory, 0xcc, 512);
    run(handler::XSAVEOPT64_m);
    EXPECT_EQ(at<u64>(512), 2u);
    EXPECT_EQ(at<u16>(0), 0xcccc);
    EXPECT_EQ(at<u32>(24), 0x1fa0u);
    EXPECT_EQ(at<u64>(160), 1u);
}

TEST_F(StateSave, XRSTORInitialisesWhatIsAbsent) {
    std::memset(machine.memory, 0, 576);
    run(handler::XSAVE64_m);
    put<u64>(512, 1);
    machine.x87() = X87State{};
    run(handler::XRSTOR64_m);
    EXPECT_EQ(cpu.exit, Exit::kNone);
    EXPECT_EQ(machine.x87().opcode, 0x123);
    EXPECT_EQ(cpu.state.mxcsr, 0x1fa0u);
    EXPECT_EQ(cpu.state.vectors[3].q[0], 0u);
    put<u64>(512, 0);
    run(handler::XRSTOR64_m);
    EXPECT_EQ(machine.x87().control, 0x37f);
    EXPECT_EQ(machine.x87().empty, 0xff);
}

TEST_F(StateSave, UpperHalvesAreAComponent) {
    cpu.state.xcr0 = 7;
    std::memset(machine.memory, 0, sizeof machine.memory);
    run(handler::XSAVEOPT64_m);
    EXPECT_EQ(at<u64>(512), 3u);
    cpu.state.vectors[15].q = {16, 116, 216, 316};
    run(handler::XSAVE64_m);
    EXPECT_EQ(at<u64>(512), 7u);
    EXPECT_EQ(at<u64>(576 + 16 * 15), 216u);
    EXPECT_EQ(at<u64>(576 + 16 * 15 + 8), 316u);
    EXPECT_EQ(at<u64>(832), 0u);
    cpu.state.vectors = {};
    cpu.state.gpr[kRAX] = 4;
    run(handler::XRSTOR64_m);
    EXPECT_EQ(cpu.exit, Exit::kNone);
    EXPECT_EQ(cpu.state.vectors[15].q, (std::array<u64, 4>{0, 0, 216, 316}));
    put<u64>(512, 3);
    run(handler::XRSTOR64_m);
    EXPECT_EQ(cpu.state.vectors[15].q, (std::array<u64, 4>{}));
}

TEST_F(StateSave, XRSTORChecksItsHeader) {
    std::memset(machine.memory, 0, 576);
    for (const u32 offset : {512u, 520u, 528u}) {
        put<u64>(512, 0);
        put<u64>(offset, 4);
        run(handler::XRSTOR64_m);
        expect_fault(Vector::kGP);
        put<u64>(offset, 0);
    }
    put<u32>(24, 0x80000000);
    run(handler::XRSTOR64_m);
    expect_fault(Vector::kGP);
}

TEST_F(StateSave, XSAVEFaults) {
    run(handler::XSAVE64_m, 16);
    expect_fault(Vector::kGP);
    cpu.state.cr0 |= cr0::kTS;
    run(handler::XSAVE64_m);
    expect_fault(Vector::kNM);
    cpu.state.cr4 = 0;
    run(handler::XSAVE64_m);
    expect_fault(Vector::kUD);
}

TEST_F(StateSave, XCR0) {
    const auto set = [&](u64 value) {
        cpu.state.gpr[kRAX] = static_cast<u32>(value);
        cpu.state.gpr[kRDX] = value >> 32;
        machine.run(handler::XSETBV, TestMachine::register_op());
        return cpu.exit == Exit::kNone;
    };
    cpu.state.gpr[kRCX] = 0;
    for (const u64 bad : {u64{0}, u64{2}, u64{5}, u64{15}, u64{1} << 62 | 1})
        EXPECT_FALSE(set(bad)) << bad;
    EXPECT_TRUE(set(1));
    EXPECT_TRUE(set(7));
    EXPECT_TRUE(set(3));
    machine.run(handler::XGETBV, TestMachine::register_op());
    EXPECT_EQ(cpu.state.gpr[kRAX], 3u);
    EXPECT_EQ(cpu.state.gpr[kRDX], 0u);
    cpu.state.segments[kCS].selector = 3;
    EXPECT_FALSE(set(3));
    cpu.state.gpr[kRCX] = 1;
    machine.run(handler::XGETBV, TestMachine::register_op());
    expect_fault(Vector::kGP);
}

TEST_F(StateSave, EnvironmentProtected32) {
    run(handler::FNSTENV_m);
    const u32 expected[] = {0xffff027f, 0xffff7800, 0xffff3ffd, 0x55667788,
                            0x01230000, 0xddeeff00, 0xffff0000};
    for (u32 i = 0; i < 7; ++i)
        EXPECT_EQ(at<u32>(4 * i), expected[i]) << i;
    EXPECT_EQ(at<u8>(28), 0xcc);
    EXPECT_EQ(machine.x87().control, 0x27f);
}

TEST_F(StateSave, EnvironmentProtected16) {
    run(handler::FNSTENV_m, 0, op_flag::kOperand16);
    const u16 expected[] = {0x027f, 0x7800, 0x3ffd, 0x7788, 0, 0xff00, 0};
    for (u32 i = 0; i < 7; ++i)
        EXPECT_EQ(at<u16>(2 * i), expected[i]) << i;
    EXPECT_EQ(at<u8>(14), 0xcc);
}

TEST_F(StateSave, EnvironmentReal16) {
    cpu.state.cr0 &= ~cr0::kPE;
    machine.x87().instruction = 0xabcde;
    machine.x87().data = 0x12345;
    run(handler::FNSTENV_m, 0, op_flag::kOperand16);
    EXPECT_EQ(at<u16>(6), 0xbcde);
    EXPECT_EQ(at<u16>(8), 0xa123);
    EXPECT_EQ(at<u16>(10), 0x2345);
    EXPECT_EQ(at<u16>(12), 0x1000);
    machine.x87() = X87State{};
    run(handler::FLDENV_m, 0, op_flag::kOperand16);
    EXPECT_EQ(machine.x87().instruction, 0xabcdeu);
    EXPECT_EQ(machine.x87().data, 0x12345u);
    EXPECT_EQ(machine.x87().opcode, 0x123);
}

TEST_F(StateSave, FNSAVEAndFRSTOR) {
    const X87State before = machine.x87();
    run(handler::FNSAVE_m);
    EXPECT_EQ(at<u64>(28), 0xc000000000000001u);
    EXPECT_EQ(at<u16>(36), 0x4001);
    EXPECT_EQ(at<u8>(108), 0xcc);
    EXPECT_EQ(machine.x87().empty, 0xff);
    EXPECT_EQ(machine.x87().control, 0x37f);
    run(handler::FRSTOR_m);
    EXPECT_EQ(machine.x87().empty, before.empty);
    EXPECT_EQ(machine.x87().status, before.status);
    EXPECT_EQ(machine.x87().registers[7].exponent, 0x4001);
    EXPECT_EQ(machine.x87().instruction, 0x55667788u);
}

}  // namespace
}  // namespace uchronia::cpu::interp::x87
