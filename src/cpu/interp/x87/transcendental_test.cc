// Values of the transcendental functions, correctly rounded by an independent computation with 90
// decimal digits; and what the tables of the manual say about special operands.
#include "cpu/interp/x87/transcendental.h"

#include <gtest/gtest.h>

namespace uchronia::cpu {

static bool operator==(const X87State::Extended& a, const X87State::Extended& b) {
    return a.mantissa == b.mantissa && a.exponent == b.exponent;
}

namespace interp::x87 {
namespace {

constexpr u16 kDefaultControl = 0x37f;

Number integer(i64 value) {
    return unpack_integer(value);
}
Number power_of_two(i32 exponent, bool sign = false) {
    return {Kind::kFinite, sign, false, exponent, kIntegerBit};
}
Number nearest_pi() {
    return {Kind::kFinite, false, false, 1, 0xc90fdaa22168c235};
}

struct Angle {
    const char* name;
    Number operand;
    Extended sine, cosine;
};

const Angle kAngles[] = {
    {"1", integer(1), {0xd76aa47848677021, 0x3ffe}, {0x8a51407da8345c92, 0x3ffe}},
    {"2^62", power_of_two(62), {0xb506a9dd559cf157, 0xbffe}, {0xb5033c867715345a, 0xbffe}},
    {"pi, nearest", nearest_pi(), {0x8000000000000000, 0xbfbf}, {0x8000000000000000, 0xbfff}},
    {"100", integer(100), {0x81a12dbc626dc036, 0xbffe}, {0xdcc0edfb32fefb21, 0x3ffe}},
};

TEST(Trigonometric, KnownAngles) {
    for (const Angle& angle : kAngles) {
        Context c{kDefaultControl};
        const SineCosine r = sine_cosine(c, angle.operand, Wanted::kBoth);
        EXPECT_EQ(r.sine, angle.sine) << angle.name;
        EXPECT_EQ(r.cosine, angle.cosine) << angle.name;
        EXPECT_FALSE(r.out_of_range);
        EXPECT_EQ(c.exceptions, exception::kPrecision);
    }
}

TEST(Trigonometric, Tangent) {
    Context c{kDefaultControl};
    EXPECT_EQ(partial_tangent(c, power_of_two(-1)).tangent, (Extended{0x8bda7adf9a3a5219, 0x3ffe}));
    EXPECT_EQ(partial_tangent(c, integer(2)).tangent, (Extended{0x8bd7b1704a87c1da, 0xc000}));
}

TEST(Trigonometric, OutOfRange) {
    Context c{kDefaultControl};
    EXPECT_TRUE(sine_cosine(c, power_of_two(63), Wanted::kSine).out_of_range);
    EXPECT_TRUE(partial_tangent(c, power_of_two(63, true)).out_of_range);
    EXPECT_EQ(c.exceptions, 0);
}

// Tiny operands: the result is just below the operand, which directed rounding shows.
TEST(Trigonometric, SineOfTheSmallest) {
    constexpr u16 kTowardZero = kDefaultControl | 0xc00;
    Context nearest{kDefaultControl}, zero_mode{kTowardZero};
    EXPECT_EQ(sine_cosine(nearest, power_of_two(-200), Wanted::kSine).sine,
              (Extended{kIntegerBit, 0x3fff - 200}));
    EXPECT_EQ(sine_cosine(zero_mode, power_of_two(-200), Wanted::kSine).sine,
              (Extended{~u64{0}, 0x3fff - 201}));
    EXPECT_TRUE(nearest.c1);
    EXPECT_FALSE(zero_mode.c1);
}

TEST(Arctangent, Quadrants) {
    Context c{kDefaultControl};
    EXPECT_EQ(partial_arctangent(c, integer(1), integer(4)),
              (Extended{0xfadbafc96406eb15, 0x3ffc}));
    EXPECT_EQ(partial_arctangent(c, integer(1), integer(-4)),
              (Extended{0xb9621fa58b285383, 0x4000}));
    EXPECT_EQ(partial_arctangent(c, integer(0), integer(-4)),
              (Extended{0xc90fdaa22168c235, 0x4000}));
}

TEST(Exponential, KnownValues) {
    Context c{kDefaultControl};
    EXPECT_EQ(two_to_x_minus_1(c, power_of_two(-1)), (Extended{0xd413cccfe7799211, 0x3ffd}));
    EXPECT_EQ(two_to_x_minus_1(c, power_of_two(-2, true)), (Extended{0xa2ec0cd4a58a542f, 0xbffc}));
    Context exact{kDefaultControl};
    EXPECT_EQ(two_to_x_minus_1(exact, integer(1)), kOne);
    EXPECT_EQ(two_to_x_minus_1(exact, integer(-1)), (Extended{kIntegerBit, 0xbffe}));
    EXPECT_EQ(exact.exceptions, 0);
}

TEST(Logarithm, KnownValues) {
    Context c{kDefaultControl};
    EXPECT_EQ(y_log2_x(c, integer(3), integer(10)), (Extended{0x9f73da38d9d4a83f, 0x4002}));
    EXPECT_EQ(y_log2_x_plus_1(c, integer(3), power_of_two(-50)),
              (Extended{0x8a7fac5f0511e33d, 0x3fcf}));
    EXPECT_EQ(c.exceptions, exception::kPrecision);
    Context exact{kDefaultControl};
    EXPECT_EQ(y_log2_x(exact, integer(3), power_of_two(-7)), (Extended{u64{21} << 59, 0xc003}));
    EXPECT_EQ(exact.exceptions, 0);
}

TEST(Logarithm, OfZeroAndBelow) {
    Context zero_divide{kDefaultControl}, bad{kDefaultControl};
    EXPECT_EQ(y_log2_x(zero_divide, integer(3), integer(0)), infinity(true));
    EXPECT_EQ(zero_divide.exceptions, exception::kZeroDivide);
    EXPECT_EQ(y_log2_x(bad, integer(3), integer(-1)), kIndefinite);
    EXPECT_EQ(bad.exceptions, exception::kInvalid);
}

}  // namespace
}  // namespace interp::x87
}  // namespace uchronia::cpu
