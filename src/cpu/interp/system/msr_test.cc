#include "cpu/interp/system/msr.h"

#include <gtest/gtest.h>

#include "cpu/interp/system/test_processor.h"

namespace uchronia::cpu::interp {
namespace {

class MSRTest : public testing::Test {
  protected:
    u64 read(u32 index) {
        u64 value = 0;
        EXPECT_TRUE(read_msr(p.cpu, index, value)) << std::hex << index;
        return value;
    }
    bool write(u32 index, u64 value) { return write_msr(p.cpu, index, value); }

    TestProcessor p;
};

TEST_F(MSRTest, KeepsWhatIsWritten) {
    struct Case {
        u32 index;
        u64 value;
    };
    const Case cases[] = {
        {0x174, 0x10},
        {0x175, 0xffff800000001000},
        {0x176, 0xffff800000002000},
        {0xc0000081, 0x0023001000000000},
        {0xc0000082, 0xffffffff81000000},
        {0xc0000083, 0xffffffff81001000},
        {0xc0000084, 0x257fd5},
        {0xc0000100, 0x7fff12345000},
        {0xc0000101, 0xffff888000000000},
        {0xc0000102, 0xffff888000001000},
        {0xc0000103, 0x1003},
        {0x277, 0x0407050600070106},
        {0x2ff, 0xc06},
        {0x250, 0x0606060606060606},
        {0x26f, 0x0505050505050505},
        {0x200, 0x80000000},
        {0x201, 0xff80000800},
        {0x20f, 0x800},
    };
    for (const Case& c : cases) {
        EXPECT_TRUE(write(c.index, c.value)) << std::hex << c.index;
        EXPECT_EQ(read(c.index), c.value) << std::hex << c.index;
    }
    EXPECT_EQ(p.cpu.state.segment_base[kFS], 0x7fff12345000u);
    EXPECT_EQ(p.cpu.state.segment_base[kGS], 0xffff888000000000u);
}

TEST_F(MSRTest, RefusesWhatTheManualForbids) {
    EXPECT_FALSE(write(0xc0000082, 0x8000000000000000));  // LSTAR not canonical
    EXPECT_FALSE(write(0xc0000100, 0x0000800000000000));  // FS_BASE not canonical
    EXPECT_FALSE(write(0x277, 2));                        // reserved memory type
    EXPECT_FALSE(write(0x2ff, 7));
    EXPECT_FALSE(write(0x250, 7));
    EXPECT_FALSE(write(0x200, 2));
    EXPECT_FALSE(write(0x201, u64{1} << 50));
    EXPECT_FALSE(write(0xfe, 0));  // MTRRcap is constant
    u64 value = 0;
    EXPECT_FALSE(read_msr(p.cpu, 0x1a0, value));  // Intel's MISC_ENABLE
}

TEST_F(MSRTest, GuardsEFER) {
    const u64 before = read(0xc0000080);
    EXPECT_FALSE(write(0xc0000080, before & ~efer::kLME));   // paging is on
    EXPECT_FALSE(write(0xc0000080, before | u64{1} << 12));  // SVME
    EXPECT_TRUE(write(0xc0000080, before & ~efer::kNXE & ~efer::kLMA));
    EXPECT_EQ(read(0xc0000080), before & ~efer::kNXE);      // LMA cannot be written
    EXPECT_TRUE(write(0xc0000080, before | u64{1} << 21));  // automatic IBRS
}

TEST_F(MSRTest, ConstantsAcceptTheirOwnValueOnly) {
    for (const u32 index :
         {0x8bu, 0xfeu, 0xc0010010u, 0xc0010015u, 0xc001001fu, 0xc0010114u, 0xc0011029u}) {
        const u64 value = read(index);
        EXPECT_TRUE(write(index, value)) << std::hex << index;
        EXPECT_FALSE(write(index, value ^ 1)) << std::hex << index;
    }
}

TEST_F(MSRTest, WritingTheTimeStampMovesItsOffset) {
    p.platform.time = 5000;
    EXPECT_EQ(read(0x10), 5000u);
    EXPECT_TRUE(write(0x10, 100));
    p.platform.time = 5040;
    EXPECT_EQ(read(0x10), 140u);
    p.run({0x0f, 0x31});  // RDTSC
    EXPECT_EQ(p.cpu.state.gpr[kRAX], 140u);
    EXPECT_EQ(p.cpu.state.gpr[kRDX], 0u);
}

TEST_F(MSRTest, TheRestIsThePlatforms) {
    EXPECT_TRUE(write(TestPlatform::kKnownMSR, 0xfee00900));
    EXPECT_EQ(p.platform.known_msr, 0xfee00900u);
    EXPECT_EQ(read(TestPlatform::kKnownMSR), 0xfee00900u);
    EXPECT_FALSE(write(0x12345, 0));
}

TEST_F(MSRTest, InstructionsFaultAndNeedPrivilege) {
    p.cpu.state.gpr[kRCX] = 0x12345;
    p.run({0x0f, 0x32});
    EXPECT_TRUE(p.faulted(Vector::kGP));
    p.cpu.state.gpr[kRCX] = 0xc0000103;
    p.cpu.state.gpr[kRAX] = 7;
    p.cpu.state.gpr[kRDX] = 0;
    p.run({0x0f, 0x30});
    EXPECT_TRUE(p.retired(2));
    p.run({0x0f, 0x01, 0xf9});  // RDTSCP
    EXPECT_EQ(p.cpu.state.gpr[kRCX], 7u);
    p.enter_user();
    p.run({0x0f, 0x32});
    EXPECT_TRUE(p.faulted(Vector::kGP));
}

}  // namespace
}  // namespace uchronia::cpu::interp
