// multiply_add in software against the host's FMA, under every kind of MXCSR.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "cpu/interp/avx_float/fused.h"

namespace uchronia::cpu::interp::avx_float {
namespace {

constexpr u64 kSeed = 20261125;
constexpr int kCases = 300000;

Rounded<DoubleFormat> on_host(u64 x, u64 y, u64 z, u32 control) {
    double result = std::bit_cast<double>(y);
    u32 state = (control & sse::mxcsr::kControl) | sse::mxcsr::kMasks;
    asm volatile("ldmxcsr %1\n\tvfmadd213sd %3, %2, %0\n\tstmxcsr %1\n\tldmxcsr %4"
                 : "+x"(result), "+m"(state)
                 : "x"(std::bit_cast<double>(x)), "x"(std::bit_cast<double>(z)),
                   "m"(sse::kHostMXCSR));
    return {std::bit_cast<u64>(result), state & sse::mxcsr::kFlags};
}
Rounded<SingleFormat> on_host(u32 x, u32 y, u32 z, u32 control) {
    float result = std::bit_cast<float>(y);
    u32 state = (control & sse::mxcsr::kControl) | sse::mxcsr::kMasks;
    asm volatile("ldmxcsr %1\n\tvfmadd213ss %3, %2, %0\n\tstmxcsr %1\n\tldmxcsr %4"
                 : "+x"(result), "+m"(state)
                 : "x"(std::bit_cast<float>(x)), "x"(std::bit_cast<float>(z)),
                   "m"(sse::kHostMXCSR));
    return {std::bit_cast<u32>(result), state & sse::mxcsr::kFlags};
}

template <class F>
class Numbers {
  public:
    using Bits = typename F::Bits;

    Bits any() {
        const Bits sign = random_() % 2 != 0 ? F::kSign : 0;
        const Bits fraction = static_cast<Bits>(random_() & F::kFraction);
        switch (random_() % 6) {
            case 0:
                return sign | edge();
            case 1:
                return static_cast<Bits>(random_());
            case 2:  // near the ends of the range
                return sign | static_cast<Bits>((random_() % 4) * F::kHiddenBit + fraction);
            default:
                return sign | static_cast<Bits>(one() + (random_() % 64 - 32) * F::kHiddenBit +
                                                few_bits(fraction));
        }
    }
    // An addend that nearly cancels the product, or lies at its ends.
    Bits near_product(Bits x, Bits y) {
        const Bits product = multiply_add<F>(x, y, 0, {}, sse::mxcsr::kDefault).bits;
        if (F::is_nan(product) || F::is_infinity(product))
            return any();
        switch (random_() % 3) {
            case 0:
                return product ^ F::kSign;
            case 1:
                return static_cast<Bits>((product ^ F::kSign) + random_() % 3 - 1);
            default: {
                const u64 distance = random_() % 120;
                const Bits down = static_cast<Bits>(distance * F::kHiddenBit);
                return F::magnitude(product) > down ? product - down : product;
            }
        }
    }
    u32 control() { return sse::mxcsr::kMasks | (static_cast<u32>(random_()) & 0xe040); }
    bool chance() { return random_() % 3 == 0; }

  private:
    static Bits one() { return static_cast<Bits>(Bits{F::kBias} << F::kFractionBits); }
    Bits few_bits(Bits fraction) {
        return static_cast<Bits>(fraction & (~Bits{0} << random_() % F::kFractionBits));
    }
    Bits edge() {
        const Bits edges[] = {0,
                              1,
                              F::kFraction,
                              F::kHiddenBit,
                              one(),
                              F::kInfinity - 1,
                              F::kInfinity,
                              F::kInfinity + 1,
                              F::kInfinity + F::kQuiet + 5};
        return edges[random_() % std::size(edges)];
    }

    std::mt19937_64 random_{kSeed};
};

template <class F>
void compare_with_host() {
    if (!__builtin_cpu_supports("fma")) {
        testing::Test::RecordProperty("not_compared", "the host has no FMA");
        return;
    }
    Numbers<F> numbers;
    for (int i = 0; i < kCases; ++i) {
        const auto x = numbers.any(), y = numbers.any();
        const auto z = numbers.chance() ? numbers.near_product(x, y) : numbers.any();
        const u32 control = numbers.chance() ? sse::mxcsr::kDefault : numbers.control();
        const Rounded<F> own = multiply_add<F>(x, y, z, {}, control),
                         host = on_host(x, y, z, control);
        ASSERT_EQ(own.bits, host.bits) << std::hex << x << ' ' << y << ' ' << z << " under "
                                       << control << ", case " << std::dec << i;
        ASSERT_EQ(own.flags, host.flags) << std::hex << x << ' ' << y << ' ' << z << " under "
                                         << control << ", case " << std::dec << i;
    }
}

TEST(FusedTest, SinglesAgreeWithTheHost) {
    compare_with_host<SingleFormat>();
}

TEST(FusedTest, DoublesAgreeWithTheHost) {
    compare_with_host<DoubleFormat>();
}

TEST(FusedTest, AgreesWithTheLibraryOnNumbers) {
    Numbers<DoubleFormat> numbers;
    for (int i = 0; i < kCases / 10; ++i) {
        const u64 x = numbers.any(), y = numbers.any(), z = numbers.any();
        const double expected =
            std::fma(std::bit_cast<double>(x), std::bit_cast<double>(y), std::bit_cast<double>(z));
        const u64 own = multiply_add<DoubleFormat>(x, y, z, {}, sse::mxcsr::kDefault).bits;
        if (!std::isnan(expected)) {
            ASSERT_EQ(own, std::bit_cast<u64>(expected)) << std::hex << x << ' ' << y << ' ' << z;
        } else {
            ASSERT_TRUE(DoubleFormat::is_nan(own)) << std::hex << x << ' ' << y << ' ' << z;
        }
    }
}

TEST(FusedTest, NegatesNumbersButNotNaNs) {
    const auto bits = [](double value) { return std::bit_cast<u64>(value); };
    const u32 control = sse::mxcsr::kDefault;
    EXPECT_EQ(multiply_add<DoubleFormat>(bits(2), bits(3), bits(4), {true, false}, control).bits,
              bits(-2));
    EXPECT_EQ(multiply_add<DoubleFormat>(bits(2), bits(3), bits(4), {false, true}, control).bits,
              bits(2));
    EXPECT_EQ(multiply_add<DoubleFormat>(bits(2), bits(3), bits(4), {true, true}, control).bits,
              bits(-10));
    const u64 nan = DoubleFormat::kInfinity + DoubleFormat::kQuiet + 7;
    EXPECT_EQ(multiply_add<DoubleFormat>(bits(2), nan, bits(4), {true, true}, control).bits, nan);
    EXPECT_EQ(multiply_add<DoubleFormat>(bits(2), bits(3), nan, {true, true}, control).bits, nan);
}

}  // namespace
}  // namespace uchronia::cpu::interp::avx_float
