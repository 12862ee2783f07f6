// Which of several NaNs is the result where hosts may choose differently (a change of this changes
// histories): the one of the element with the lowest number, quiet.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "cpu/decode/decoder.h"
#include "cpu/interp/test_support/family_rows.h"
#include "cpu/interp/test_support/vector_machine.h"

namespace uchronia::cpu::interp::sse {
namespace {

using namespace test_support;

using Singles = std::array<u32, 4>;
using Doubles = std::array<u64, 2>;

constexpr u32 kOne = 0x3f800000, kSignalling = 0x7f800000, kQuiet = 0x7fc00000;
constexpr u64 kWideOne = 0x3ff0'0000'0000'0000, kWideSignalling = 0x7ff0'0000'0000'0000,
              kWideQuiet = 0x7ff8'0000'0000'0000;

class NaNChoice : public testing::Test {
  protected:
    // XMM1 after the instruction with XMM1 and XMM2.
    template <class Elements>
    Elements run(Instruction instruction, std::vector<u8> bytes, const Elements& a,
                 const Elements& b) {
        std::memcpy(machine_.cpu.state.vectors[1].q.data(), &a, sizeof a);
        std::memcpy(machine_.cpu.state.vectors[2].q.data(), &b, sizeof b);
        bytes.resize(kLongestInstruction);
        Decoded decoded;
        EXPECT_EQ(decode(bytes, CodeMode::k64, 0, decoded), DecodeStatus::kDone);
        EXPECT_EQ(decoded.instruction, instruction);
        for (const FamilyRow& row : rows::mmx_sse()) {
            if (row.row.name == row_of(instruction).name)
                machine_.run(*row.handlers, decoded);
        }
        EXPECT_EQ(machine_.cpu.exit, Exit::kNone);
        Elements result;
        std::memcpy(&result, machine_.cpu.state.vectors[1].q.data(), sizeof result);
        return result;
    }

    VectorMachine machine_;
};

TEST_F(NaNChoice, DotProductsHaveTheFirstInEveryElement) {
    const Singles nans = {kSignalling | 1, kQuiet | 2, kSignalling | 3, kQuiet | 4};
    const Singles ones = {kOne, kOne, kOne, kOne};
    EXPECT_EQ(run(Instruction::DPPS_Vps_Wps_Ib, {0x66, 0x0f, 0x3a, 0x40, 0xca, 0xff}, nans, ones),
              (Singles{kQuiet | 1, kQuiet | 1, kQuiet | 1, kQuiet | 1}));
    EXPECT_EQ(run(Instruction::DPPS_Vps_Wps_Ib, {0x66, 0x0f, 0x3a, 0x40, 0xca, 0xc7}, nans, ones),
              (Singles{kQuiet | 3, kQuiet | 3, kQuiet | 3, 0}));
    const Doubles wide = {kWideSignalling | 1, kWideQuiet | 2}, wide_ones = {kWideOne, kWideOne};
    EXPECT_EQ(
        run(Instruction::DPPD_Vpd_Wpd_Ib, {0x66, 0x0f, 0x3a, 0x41, 0xca, 0x33}, wide, wide_ones),
        (Doubles{kWideQuiet | 1, kWideQuiet | 1}));
}

TEST_F(NaNChoice, HorizontalSumsHaveTheLowerElements) {
    const Singles a = {kQuiet | 1, kSignalling | 2, kSignalling | 3, kQuiet | 4};
    const Singles b = {kQuiet | 5, kQuiet | 6, kOne, kSignalling | 8};
    const Singles wanted = {kQuiet | 1, kQuiet | 3, kQuiet | 5, kQuiet | 8};
    EXPECT_EQ(run(Instruction::HADDPS_Vps_Wps, {0xf2, 0x0f, 0x7c, 0xca}, a, b), wanted);
    EXPECT_EQ(run(Instruction::HSUBPS_Vps_Wps, {0xf2, 0x0f, 0x7d, 0xca}, a, b), wanted);
    const Doubles c = {kWideQuiet | 1, kWideSignalling | 2}, d = {kWideOne, kWideSignalling | 4};
    const Doubles wide = {kWideQuiet | 1, kWideQuiet | 4};
    EXPECT_EQ(run(Instruction::HADDPD_Vpd_Wpd, {0x66, 0x0f, 0x7c, 0xca}, c, d), wide);
    EXPECT_EQ(run(Instruction::HSUBPD_Vpd_Wpd, {0x66, 0x0f, 0x7d, 0xca}, c, d), wide);
}

}  // namespace
}  // namespace uchronia::cpu::interp::sse
