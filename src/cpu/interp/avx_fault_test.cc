// Faults of masked moves and gathers: only selected elements can cause them, a store that faults
// writes nothing, a gather that faults goes on later.
#include <gtest/gtest.h>

#include "cpu/interp/test_computer.h"

namespace uchronia::cpu::interp {
namespace {

constexpr u64 kSelect = u64{1} << 63;

class AVXFaultTest : public testing::Test {
  protected:
    static constexpr u64 kData = 0x60000, kHole = TestComputer::kNotMapped;
    static constexpr u8 kHLT = 0xf4;

    AVXFaultTest() {
        CPUState& state = c_.cpu.state;
        state.cr4 |= cr4::kOSXSAVE;
        state.xcr0 = 7;
        for (const Vector v : {Vector::kUD, Vector::kPF})
            c_.load_handler(static_cast<u8>(v), {kHLT});
        for (u64 i = 0; i < 4; ++i) {
            c_.store<u64>(kData + 8 * i, 10 + i);
            c_.store<u64>(kHole - 8 * (i + 1), 20 + i);
        }
        state.vectors[1].q = {1, 2, 3, 4};
    }

    std::array<u64, 4>& vector(unsigned number) { return c_.cpu.state.vectors[number].q; }
    void execute(std::vector<u8> code) {
        code.push_back(kHLT);
        c_.load_code(TestComputer::kCode, code);
        end_ = TestComputer::kCode + code.size();
        c_.cpu.state.halted = false;
        c_.run_from(TestComputer::kCode);
    }
    bool retired() const { return c_.cpu.state.rip == end_; }
    bool faulted(Vector v) const {
        return c_.cpu.state.rip == TestComputer::kHandler + 16 * static_cast<u64>(v) + 1;
    }
    void expect_page_fault(u64 address) {
        EXPECT_TRUE(faulted(Vector::kPF));
        EXPECT_EQ(c_.cpu.state.cr2, address);
    }

    // With ymm1, the mask in ymm3, at [RDI].
    void masked_load() { execute({0xc4, 0xe2, 0xe5, 0x8c, 0x0f}); }   // vpmaskmovq
    void masked_store() { execute({0xc4, 0xe2, 0xe5, 0x8e, 0x0f}); }  // vpmaskmovq
    // Also with the indices in ymm2.
    void gather() { execute({0xc4, 0xe2, 0xe5, 0x91, 0x0c, 0x17}); }  // vpgatherqq

    u64 end_ = 0;
    TestComputer c_;
};

TEST_F(AVXFaultTest, LoadOfSelectedElementsOnly) {
    c_.cpu.state.gpr[kRDI] = kHole - 16;
    vector(3) = {kSelect, kSelect, 0, 0};
    masked_load();
    EXPECT_TRUE(retired());
    EXPECT_EQ(vector(1), (std::array<u64, 4>{21, 20, 0, 0}));
}

TEST_F(AVXFaultTest, LoadThatFaultsChangesNothing) {
    c_.cpu.state.gpr[kRDI] = kHole - 16;
    vector(3) = {kSelect, 0, 0, kSelect};
    masked_load();
    expect_page_fault(kHole + 8);
    EXPECT_EQ(vector(1), (std::array<u64, 4>{1, 2, 3, 4}));
}

TEST_F(AVXFaultTest, NothingSelectedNothingAccessed) {
    c_.cpu.state.gpr[kRDI] = kHole;
    vector(3) = {};
    masked_store();
    EXPECT_TRUE(retired());
    masked_load();
    EXPECT_TRUE(retired());
    EXPECT_EQ(vector(1), (std::array<u64, 4>{}));
}

TEST_F(AVXFaultTest, StoreOfSelectedElementsOnly) {
    c_.cpu.state.gpr[kRDI] = kHole - 16;
    vector(3) = {0, kSelect, 0, 0};
    masked_store();
    EXPECT_TRUE(retired());
    EXPECT_EQ(c_.load<u64>(kHole - 16), 21u);
    EXPECT_EQ(c_.load<u64>(kHole - 8), 2u);
}

TEST_F(AVXFaultTest, StoreThatFaultsWritesNothing) {
    c_.cpu.state.gpr[kRDI] = kHole - 16;
    vector(3) = {kSelect, kSelect, kSelect, 0};
    masked_store();
    expect_page_fault(kHole);
    EXPECT_EQ(c_.load<u64>(kHole - 16), 21u);
    EXPECT_EQ(c_.load<u64>(kHole - 8), 20u);
}

TEST_F(AVXFaultTest, GatherGoesOnAfterAFault) {
    c_.cpu.state.gpr[kRDI] = kData;
    vector(2) = {8, kHole - kData, 0, 24};
    vector(3) = {kSelect, kSelect | 1, 5, kSelect};
    gather();
    expect_page_fault(kHole);
    EXPECT_EQ(vector(1), (std::array<u64, 4>{11, 2, 3, 4}));
    EXPECT_EQ(vector(3), (std::array<u64, 4>{0, kSelect | 1, 5, kSelect}));

    c_.store<u64>(kData + 8, 99);  // is not read again
    vector(2)[1] = 16;
    gather();
    EXPECT_TRUE(retired());
    EXPECT_EQ(vector(1), (std::array<u64, 4>{11, 12, 3, 13}));
    EXPECT_EQ(vector(3), (std::array<u64, 4>{}));
}

TEST_F(AVXFaultTest, GatherNeedsThreeRegisters) {
    for (const u8 vvvv : {u8{1}, u8{2}}) {  // the mask is the destination, or the indices
        execute({0xc4, 0xe2, static_cast<u8>(0x85 | (~vvvv & 15) << 3), 0x91, 0x0c, 0x17});
        EXPECT_TRUE(faulted(Vector::kUD));
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp
