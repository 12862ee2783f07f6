// Additions and subtractions against wide arithmetic; bytes completely.
#include "cpu/interp/integer/alu.h"

#include <gtest/gtest.h>

#include <bit>

namespace uchronia::cpu::interp::integer {
namespace {

u64 sign_zero_parity_of(u8 result) {
    return (result == 0 ? rflags::kZF : 0) | (result >= 0x80 ? rflags::kSF : 0) |
           (std::popcount(result) % 2 == 0 ? rflags::kPF : 0);
}

// The flags of a + b + carry, or a - b - carry (`sign` -1).
u64 expected(int a, int b, int carry, int sign) {
    const int result = a + sign * (b + carry);
    const int nibble = (a & 15) + sign * ((b & 15) + carry);
    const int signed_result =
        static_cast<i8>(a) + sign * (static_cast<int>(static_cast<i8>(b)) + carry);
    return sign_zero_parity_of(static_cast<u8>(result)) |
           (result < 0 || result > 255 ? rflags::kCF : 0) |
           (nibble < 0 || nibble > 15 ? rflags::kAF : 0) |
           (signed_result < -128 || signed_result > 127 ? rflags::kOF : 0);
}

ArithmeticFlags with_carry(int carry) {
    return ArithmeticFlags::from_rflags(carry != 0 ? rflags::kCF : 0);
}

TEST(ALU, AddsAndSubtractsAllBytes) {
    for (int n = 0; n < 1 << 17; ++n) {
        const int a = n & 255, b = (n >> 8) & 255, carry = n >> 16;
        const u8 x = static_cast<u8>(a), y = static_cast<u8>(b);
        ArithmeticFlags flags = with_carry(carry);
        ASSERT_EQ((AddWithCarry::apply<u8>(x, y, flags)), static_cast<u8>(a + b + carry));
        ASSERT_EQ(flags.to_rflags(), expected(a, b, carry, 1)) << a << " " << b << " " << carry;
        flags = with_carry(carry);
        ASSERT_EQ((SubtractWithBorrow::apply<u8>(x, y, flags)), static_cast<u8>(a - b - carry));
        ASSERT_EQ(flags.to_rflags(), expected(a, b, carry, -1)) << a << " " << b << " " << carry;
        flags = with_carry(carry);
        ASSERT_EQ((Add::apply<u8>(x, y, flags)), static_cast<u8>(a + b));
        ASSERT_EQ(flags.to_rflags(), expected(a, b, 0, 1));
        flags = with_carry(carry);
        ASSERT_EQ((Subtract::apply<u8>(x, y, flags)), static_cast<u8>(a - b));
        ASSERT_EQ(flags.to_rflags(), expected(a, b, 0, -1));
    }
}

TEST(ALU, IncrementAndDecrementKeepCarry) {
    for (int n = 0; n < 512; ++n) {
        const int a = n & 255, carry = n >> 8;
        const u64 kept = carry != 0 ? rflags::kCF : 0;
        ArithmeticFlags flags = with_carry(carry);
        EXPECT_EQ(Increment::apply<u8>(static_cast<u8>(a), flags), static_cast<u8>(a + 1));
        EXPECT_EQ(flags.to_rflags(), (expected(a, 1, 0, 1) & ~rflags::kCF) | kept);
        flags = with_carry(carry);
        EXPECT_EQ(Decrement::apply<u8>(static_cast<u8>(a), flags), static_cast<u8>(a - 1));
        EXPECT_EQ(flags.to_rflags(), (expected(a, 1, 0, -1) & ~rflags::kCF) | kept);
        flags = with_carry(carry);
        EXPECT_EQ(Negate::apply<u8>(static_cast<u8>(a), flags), static_cast<u8>(-a));
        EXPECT_EQ(flags.to_rflags(), expected(0, a, 0, -1));
    }
}

TEST(ALU, LogicClearsCarryOverflowAndAuxiliary) {
    for (int n = 0; n < 1 << 16; ++n) {
        const u8 a = static_cast<u8>(n), b = static_cast<u8>(n >> 8);
        ArithmeticFlags flags = ArithmeticFlags::from_rflags(rflags::kArithmetic);
        ASSERT_EQ((And::apply<u8>(a, b, flags)), a & b);
        ASSERT_EQ(flags.to_rflags(), sign_zero_parity_of(a & b));
        flags = ArithmeticFlags::from_rflags(rflags::kArithmetic);
        ASSERT_EQ((Or::apply<u8>(a, b, flags)), a | b);
        ASSERT_EQ(flags.to_rflags(), sign_zero_parity_of(a | b));
        flags = ArithmeticFlags::from_rflags(rflags::kArithmetic);
        ASSERT_EQ((Xor::apply<u8>(a, b, flags)), a ^ b);
        ASSERT_EQ(flags.to_rflags(), sign_zero_parity_of(a ^ b));
    }
}

TEST(ALU, WideOperands) {
    ArithmeticFlags flags;
    EXPECT_EQ((Add::apply<u64>(~u64{0}, 1, flags)), 0u);
    EXPECT_EQ(flags.to_rflags(), rflags::kCF | rflags::kZF | rflags::kPF | rflags::kAF);
    EXPECT_EQ((Add::apply<u32>(0x7fffffff, 1, flags)), 0x80000000u);
    EXPECT_EQ(flags.to_rflags(), rflags::kOF | rflags::kSF | rflags::kPF | rflags::kAF);
    EXPECT_EQ((Subtract::apply<u16>(0x8000, 1, flags)), 0x7fff);
    EXPECT_EQ(flags.to_rflags(), rflags::kOF | rflags::kPF | rflags::kAF);
}

}  // namespace
}  // namespace uchronia::cpu::interp::integer
