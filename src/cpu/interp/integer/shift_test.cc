// Shifts and rotates against a model that moves one bit at a time, for every count.
#include "cpu/interp/integer/shift.h"

#include <gtest/gtest.h>

#include <random>

namespace uchronia::cpu::interp::integer {
namespace {

constexpr u64 kSeed = 1;

// One step of each operation on (value, CF).
template <class T>
struct Bit {
    T value;
    bool carry;
};
template <class T>
Bit<T> step(ShiftLeft, Bit<T> b) {
    return {static_cast<T>(b.value << 1), top_bit(b.value)};
}
template <class T>
Bit<T> step(ShiftRight, Bit<T> b) {
    return {static_cast<T>(b.value >> 1), (b.value & 1) != 0};
}
template <class T>
Bit<T> step(ShiftRightArithmetic, Bit<T> b) {
    const T sign = static_cast<T>(b.value & (T{1} << (kBits<T> - 1)));
    return {static_cast<T>(b.value >> 1 | sign), (b.value & 1) != 0};
}
template <class T>
Bit<T> step(RotateLeft, Bit<T> b) {
    return {static_cast<T>(b.value << 1 | (top_bit(b.value) ? 1 : 0)), top_bit(b.value)};
}
template <class T>
Bit<T> step(RotateRight, Bit<T> b) {
    const bool out = (b.value & 1) != 0;
    return {static_cast<T>(b.value >> 1 | (static_cast<T>(out) << (kBits<T> - 1))), out};
}
template <class T>
Bit<T> step(RotateLeftCarry, Bit<T> b) {
    return {static_cast<T>(b.value << 1 | (b.carry ? 1 : 0)), top_bit(b.value)};
}
template <class T>
Bit<T> step(RotateRightCarry, Bit<T> b) {
    return {static_cast<T>(b.value >> 1 | (static_cast<T>(b.carry) << (kBits<T> - 1))),
            (b.value & 1) != 0};
}

enum class Kind : u8 { kShift, kRotate };
enum class Turn : u8 { kLeft, kRight };

template <class T>
u64 expected_flags(Kind kind, Turn turn, Bit<T> b, u64 old) {
    const bool top = top_bit(b.value), second = top_bit(static_cast<T>(b.value << 1));
    u64 flags = kind == Kind::kRotate ? old & ~(rflags::kCF | rflags::kOF) : rflags::kAF;
    if (kind == Kind::kShift) {
        flags |= (b.value == 0 ? rflags::kZF : 0) | (top ? rflags::kSF : 0);
        flags |= std::popcount(static_cast<u8>(b.value)) % 2 == 0 ? rflags::kPF : 0;
    }
    flags |= b.carry ? rflags::kCF : 0;
    flags |= top != (turn == Turn::kLeft ? b.carry : second) ? rflags::kOF : 0;
    return flags;
}

template <class T, class Operation>
void check(Kind kind, Turn turn) {
    std::mt19937_64 random(kSeed);
    for (unsigned raw_count = 0; raw_count < 256; ++raw_count) {
        for (int i = 0; i < 40; ++i) {
            const T value = static_cast<T>(random() >> (random() % 64));
            const u64 old = random() & rflags::kArithmetic;
            Bit<T> model{value, (old & rflags::kCF) != 0};
            const unsigned count = raw_count & (sizeof(T) == 8 ? 63 : 31);
            for (unsigned n = 0; n < count; ++n)
                model = step(Operation{}, model);
            ArithmeticFlags flags = ArithmeticFlags::from_rflags(old);
            const T result = Operation::template apply<T>(value, raw_count, flags);
            ASSERT_EQ(result, model.value) << raw_count << " of " << u64{value};
            ASSERT_EQ(flags.to_rflags(), count == 0 ? old : expected_flags(kind, turn, model, old))
                << raw_count << " of " << u64{value};
        }
    }
}

template <class T>
class ShiftTest : public testing::Test {};
using Types = testing::Types<u8, u16, u32, u64>;
TYPED_TEST_SUITE(ShiftTest, Types);

TYPED_TEST(ShiftTest, Shifts) {
    check<TypeParam, ShiftLeft>(Kind::kShift, Turn::kLeft);
    check<TypeParam, ShiftRight>(Kind::kShift, Turn::kRight);
    check<TypeParam, ShiftRightArithmetic>(Kind::kShift, Turn::kRight);
}

TYPED_TEST(ShiftTest, Rotates) {
    check<TypeParam, RotateLeft>(Kind::kRotate, Turn::kLeft);
    check<TypeParam, RotateRight>(Kind::kRotate, Turn::kRight);
    check<TypeParam, RotateLeftCarry>(Kind::kRotate, Turn::kLeft);
    check<TypeParam, RotateRightCarry>(Kind::kRotate, Turn::kRight);
}

template <class T>
class DoubleShiftTest : public testing::Test {};
using DoubleTypes = testing::Types<u16, u32, u64>;
TYPED_TEST_SUITE(DoubleShiftTest, DoubleTypes);

// Up to the operand size, the pair of operands is shifted as one value.
TYPED_TEST(DoubleShiftTest, ShiftsThePair) {
    using T = TypeParam;
    std::mt19937_64 random(kSeed);
    for (unsigned count = 1; count < std::min(kBits<T> + 1, 64u); ++count) {
        if (masked_count<T>(count) == 0)
            continue;
        const T value = static_cast<T>(random()), source = static_cast<T>(random());
        const u128 left = (static_cast<u128>(value) << kBits<T> | source) << count;
        const u128 right = (static_cast<u128>(source) << kBits<T> | value) >> count;
        ArithmeticFlags flags;
        EXPECT_EQ(ShiftLeftDouble::apply<T>(value, source, count, flags),
                  static_cast<T>(left >> kBits<T>));
        EXPECT_EQ(flags.cf(), ((value >> (kBits<T> - count)) & 1) != 0);
        EXPECT_TRUE(flags.af());
        EXPECT_EQ(ShiftRightDouble::apply<T>(value, source, count, flags), static_cast<T>(right));
        EXPECT_EQ(flags.cf(), ((value >> (count - 1)) & 1) != 0);
        EXPECT_TRUE(flags.af());
    }
}

TEST(DoubleShift, OverlongWordShiftsTakeTheSourceTwice) {
    ArithmeticFlags flags;
    EXPECT_EQ(ShiftLeftDouble::apply<u16>(0x1234, 0xabcd, 20, flags), 0xbcda);
    EXPECT_FALSE(flags.cf());
    EXPECT_EQ(ShiftRightDouble::apply<u16>(0x1234, 0xabcd, 20, flags), 0xdabc);
    EXPECT_FALSE(flags.cf());
}

TEST(DoubleShift, CountZeroChangesNothing) {
    ArithmeticFlags flags = ArithmeticFlags::from_rflags(rflags::kArithmetic);
    EXPECT_EQ(ShiftLeftDouble::apply<u32>(5, 7, 32, flags), 5u);
    EXPECT_EQ(flags.to_rflags(), rflags::kArithmetic);
}

}  // namespace
}  // namespace uchronia::cpu::interp::integer
