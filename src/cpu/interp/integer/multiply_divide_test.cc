// Multiplication and division against 128-bit arithmetic.
#include "cpu/interp/integer/multiply_divide.h"

#include <gtest/gtest.h>

#include <random>

namespace uchronia::cpu::interp::integer {
namespace {

constexpr u64 kSeed = 1;
constexpr int kCases = 20000;
constexpr u64 kUnchanged = rflags::kSF | rflags::kZF | rflags::kAF | rflags::kPF;

template <class T>
class MultiplyDivideTest : public testing::Test {
  protected:
    static constexpr int kBits = std::numeric_limits<T>::digits;

    // Mostly near a power of two, as there the edges are.
    T value() {
        const u64 edge = (u64{1} << (random_() % 64)) + random_() % 3 - 1;
        return static_cast<T>(random_() % 2 == 0 ? edge : random_());
    }
    u64 flags() { return random_() & rflags::kArithmetic; }

  private:
    std::mt19937_64 random_{kSeed};
};
using Types = testing::Types<u8, u16, u32, u64>;
TYPED_TEST_SUITE(MultiplyDivideTest, Types);

TYPED_TEST(MultiplyDivideTest, Multiplies) {
    using T = TypeParam;
    using S = std::make_signed_t<T>;
    for (int i = 0; i < kCases; ++i) {
        const T a = this->value(), b = this->value();
        const u64 old = this->flags();
        const u128 product = static_cast<u128>(a) * b;
        ArithmeticFlags flags = ArithmeticFlags::from_rflags(old);
        const Pair<T> result = MultiplyUnsigned::apply<T>(a, b, flags);
        ASSERT_EQ(result.low, static_cast<T>(product));
        ASSERT_EQ(result.high, static_cast<T>(product >> this->kBits));
        ASSERT_EQ(flags.cf(), result.high != 0);
        ASSERT_EQ(flags.of(), flags.cf());
        ASSERT_EQ(flags.to_rflags() & kUnchanged, old & kUnchanged);

        const i128 signed_product = static_cast<i128>(static_cast<S>(a)) * static_cast<S>(b);
        const Pair<T> signed_result = MultiplySigned::apply<T>(a, b, flags);
        ASSERT_EQ(signed_result.low, static_cast<T>(signed_product));
        ASSERT_EQ(signed_result.high, static_cast<T>(signed_product >> this->kBits));
        ASSERT_EQ(flags.cf(), signed_product != static_cast<S>(signed_product));
        ASSERT_EQ(flags.of(), flags.cf());
    }
}

TYPED_TEST(MultiplyDivideTest, DividesUnsigned) {
    using T = TypeParam;
    for (int i = 0; i < kCases; ++i) {
        const T high = this->value(), low = this->value(), divisor = this->value();
        const Division<T> result = DivideUnsigned::apply<T>({high, low}, divisor);
        const u128 dividend = static_cast<u128>(high) << this->kBits | low;
        ASSERT_EQ(result.ok, divisor != 0 && (dividend / divisor) >> this->kBits == 0);
        if (!result.ok)
            continue;
        ASSERT_EQ(result.quotient, dividend / divisor);
        ASSERT_EQ(result.remainder, dividend % divisor);
    }
}

TYPED_TEST(MultiplyDivideTest, DividesSigned) {
    using T = TypeParam;
    using S = std::make_signed_t<T>;
    for (int i = 0; i < kCases; ++i) {
        const T low = this->value(), divisor = this->value();
        const T high = i % 3 == 0 ? this->value() : static_cast<T>(i % 3 == 1 ? 0 : -1);
        const Division<T> result = DivideSigned::apply<T>({high, low}, divisor);
        const u128 bits =
            static_cast<u128>(static_cast<i128>(static_cast<S>(high))) << this->kBits | low;
        const i128 dividend = static_cast<i128>(bits);
        const i128 by = static_cast<S>(divisor);
        const bool host_overflows = by == -1 && bits == static_cast<u128>(1) << 127;
        const bool ok =
            by != 0 && !host_overflows && dividend / by == static_cast<S>(dividend / by);
        ASSERT_EQ(result.ok, ok);
        if (!ok)
            continue;
        ASSERT_EQ(static_cast<S>(result.quotient), dividend / by);
        ASSERT_EQ(static_cast<S>(result.remainder), dividend % by);
    }
}

TEST(Divide, LeavesTheCanonicalFlags) {
    ArithmeticFlags flags = ArithmeticFlags::from_rflags(rflags::kArithmetic);
    set_divide_flags(flags);
    EXPECT_EQ(flags.to_rflags(), rflags::kCF | rflags::kOF | rflags::kAF);
    EXPECT_EQ(flags.bits & ArithmeticFlags::kFixed, ArithmeticFlags::kFixed);
}

}  // namespace
}  // namespace uchronia::cpu::interp::integer
