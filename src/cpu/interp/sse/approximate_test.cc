// The canon of RCPPS and RSQRTPS: the error bound over all fractions, special cases, some fixed
// values (a change of these changes histories).
#include "cpu/interp/sse/approximate.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace uchronia::cpu::interp::sse {
namespace {

constexpr double kBound = 1.5 / 4096;
constexpr u32 kStep = 97;  // visits fractions of every interval

double number(u32 bits) {
    return std::bit_cast<float>(bits);
}

TEST(Approximate, ReciprocalIsWithinTheBound) {
    for (const u32 exponent : {1u, 2u, 100u, 127u, 128u, 200u, 251u, 252u}) {
        for (u32 fraction = 0; fraction < 0x800000; fraction += kStep) {
            const u32 value = exponent << 23 | fraction;
            const double error = number(approximate_reciprocal(value)) * number(value) - 1;
            ASSERT_LE(std::fabs(error), kBound) << std::hex << value;
        }
    }
}

TEST(Approximate, ReciprocalSquareRootIsWithinTheBound) {
    for (const u32 exponent : {1u, 2u, 100u, 127u, 128u, 200u, 253u, 254u}) {
        for (u32 fraction = 0; fraction < 0x800000; fraction += kStep) {
            const u32 value = exponent << 23 | fraction;
            const double exact = 1 / std::sqrt(number(value));
            const double error = number(approximate_reciprocal_square_root(value)) / exact - 1;
            ASSERT_LE(std::fabs(error), kBound) << std::hex << value;
        }
    }
}

TEST(Approximate, ReciprocalOfSpecialValues) {
    EXPECT_EQ(approximate_reciprocal(0x00000000), 0x7f800000u);
    EXPECT_EQ(approximate_reciprocal(0x80000000), 0xff800000u);
    EXPECT_EQ(approximate_reciprocal(0x007fffff), 0x7f800000u);  // denormal
    EXPECT_EQ(approximate_reciprocal(0x80000001), 0xff800000u);
    EXPECT_EQ(approximate_reciprocal(0x7f800000), 0x00000000u);
    EXPECT_EQ(approximate_reciprocal(0xff800000), 0x80000000u);
    EXPECT_EQ(approximate_reciprocal(0x7f800001), 0x7fc00001u);  // SNaN
    EXPECT_EQ(approximate_reciprocal(0xffc12345), 0xffc12345u);
    EXPECT_EQ(approximate_reciprocal(0x7f7fffff), 0x00000000u);  // tiny result
    EXPECT_EQ(approximate_reciprocal(0xfe900000), 0x80000000u);
    EXPECT_NE(approximate_reciprocal(0x7e7fe000), 0x00000000u);  // the last that is not tiny
}

TEST(Approximate, ReciprocalSquareRootOfSpecialValues) {
    EXPECT_EQ(approximate_reciprocal_square_root(0x00000000), 0x7f800000u);
    EXPECT_EQ(approximate_reciprocal_square_root(0x80000000), 0xff800000u);
    EXPECT_EQ(approximate_reciprocal_square_root(0x00000001), 0x7f800000u);
    EXPECT_EQ(approximate_reciprocal_square_root(0x807fffff), 0xff800000u);
    EXPECT_EQ(approximate_reciprocal_square_root(0x7f800000), 0x00000000u);
    EXPECT_EQ(approximate_reciprocal_square_root(0xff800000), 0xffc00000u);
    EXPECT_EQ(approximate_reciprocal_square_root(0xbf800000), 0xffc00000u);
    EXPECT_EQ(approximate_reciprocal_square_root(0x7f800001), 0x7fc00001u);
    EXPECT_EQ(approximate_reciprocal_square_root(0xff800001), 0xffc00001u);
}

TEST(Approximate, FixedValues) {
    EXPECT_EQ(approximate_reciprocal(0x3f800000), 0x3f7ff000u);  // 1
    EXPECT_EQ(approximate_reciprocal(0x40400000), 0x3eaaa400u);  // 3
    EXPECT_EQ(approximate_reciprocal(0xc2c80000), 0xbc23d000u);  // -100
    EXPECT_EQ(approximate_reciprocal_square_root(0x3f800000), 0x3f7ff000u);
    EXPECT_EQ(approximate_reciprocal_square_root(0x40000000), 0x3f34fa00u);
    EXPECT_EQ(approximate_reciprocal_square_root(0x42c80000), 0x3dccc400u);
}

}  // namespace
}  // namespace uchronia::cpu::interp::sse
