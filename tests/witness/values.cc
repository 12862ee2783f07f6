#include "tests/witness/values.h"

#include <algorithm>
#include <cstring>

namespace uchronia::witness {

u64 integer_value(Random& random) {
    static constexpr u64 kEdges[] = {
        0,           1,       2,       0x7f,         0x80,           0xff,       0x100,
        0x7fff,      0x8000,  0xffff,  0x10000,      0x7fffffff,     0x80000000, 0xffffffff,
        0x100000000, ~u64{0}, ~u64{1}, u64{1} << 63, ~(u64{1} << 63)};
    switch (random.below(8)) {
        case 0:
            return random.pick(kEdges);
        case 1:
            return random.below(256);
        case 2:
            return static_cast<u64>(static_cast<i64>(static_cast<i8>(random.next())));
        case 3:
            return static_cast<u64>(static_cast<i64>(static_cast<i32>(random.next())));
        case 4:
            return u64{1} << random.below(64);
        case 5:
            return random.pick(kEdges) * 0x0101010101010101;
        default:
            return random.next();
    }
}

u64 double_value(Random& random) {
    static constexpr u64 kEdges[] = {0,                   // 0
                                     0x3ff0000000000000,  // 1
                                     0x4000000000000000,  // 2
                                     0x3fe0000000000000,  // 0.5
                                     0x7ff0000000000000,  // infinity
                                     0x7ff8000000000000,  // quiet NaN
                                     0x7ff0000000000001,  // signalling NaN
                                     0x7fefffffffffffff,  // greatest
                                     0x0010000000000000,  // least normal
                                     0x000fffffffffffff,  // greatest denormal
                                     0x0000000000000001,  // least denormal
                                     0x41dfffffffc00000,  // 2^31 - 1
                                     0x41e0000000000000,  // 2^31
                                     0x43e0000000000000,  // 2^63
                                     0x3fefffffffffffff,
                                     0x3ff0000000000001,
                                     0x4008000000000000,
                                     0x3fd5555555555555,
                                     0x43dfffffffffffff,
                                     0x36a0000000000000,
                                     0x47efffffffffffff,
                                     0x380fffffffffffff};
    const u64 sign = random.next() << 63;
    switch (random.below(4)) {
        case 0:
        case 1:
            return random.pick(kEdges) | sign;
        case 2:
            return random.next();
        default:  // near 1
            return sign | (u64{0x3ff - 40 + random.below(80)} << 52) | (random.next() >> 12);
    }
}

u32 single_value(Random& random) {
    static constexpr u32 kEdges[] = {0,          0x3f800000, 0x40000000, 0x3f000000, 0x7f800000,
                                     0x7fc00000, 0x7f800001, 0x7f7fffff, 0x00800000, 0x007fffff,
                                     0x00000001, 0x4effffff, 0x4f000000, 0x5f000000, 0x3f7fffff,
                                     0x3f800001, 0x40400000, 0x3eaaaaab, 0x33800000, 0x4b7fffff};
    const u32 sign = static_cast<u32>(random.next()) << 31;
    switch (random.below(4)) {
        case 0:
        case 1:
            return random.pick(kEdges) | sign;
        case 2:
            return static_cast<u32>(random.next());
        default:
            return sign | ((0x7f - 20 + random.below(40)) << 23) |
                   (static_cast<u32>(random.next()) >> 9);
    }
}

FXImage::Register extended_value(Random& random) {
    FXImage::Register value;
    const u16 sign = static_cast<u16>(random.next() << 15);
    switch (random.below(6)) {
        case 0: {
            static constexpr u16 kExponents[] = {0,      1,      0x3fff, 0x4000, 0x7fff, 0x7ffe,
                                                 0x3ffe, 0x401e, 0x403e, 0x403d, 0x3fbf};
            static constexpr u64 kMantissas[] = {
                0, u64{1} << 63, ~u64{0}, u64{3} << 62, 1, (u64{1} << 63) + 1, ~(u64{1} << 63)};
            value.exponent = random.pick(kExponents);
            value.mantissa = random.pick(kMantissas);
            break;
        }
        case 1:  // anything, unsupported formats among it
            value.exponent = static_cast<u16>(random.next() & 0x7fff);
            value.mantissa = random.next();
            break;
        case 2:  // an MMX register
            value.exponent = 0x7fff;
            value.mantissa = integer_value(random);
            break;
        default:
            value.exponent = static_cast<u16>(0x3fff - 70 + random.below(140));
            value.mantissa = integer_value(random) | u64{1} << 63;
            break;
    }
    value.exponent |= sign;
    return value;
}

std::array<u64, 2> vector_value(Random& random) {
    switch (random.below(5)) {
        case 0:
            return {integer_value(random), integer_value(random)};
        case 1:
            return {random.next(), random.next()};
        case 2:
            return {double_value(random), double_value(random)};
        case 3: {
            const u64 low = single_value(random) | u64{single_value(random)} << 32;
            return {low, single_value(random) | u64{single_value(random)} << 32};
        }
        default: {  // text with few letters and some ends, for the string instructions
            std::array<u64, 2> value{};
            for (unsigned i = 0; i < 16; ++i)
                value[i / 8] |= u64{random.percent(8) ? 0u : 0x61 + random.below(3)}
                                << (8 * (i % 8));
            return value;
        }
    }
}

void fill_with_values(std::span<u8> bytes, Random& random) {
    for (std::size_t at = 0; at + 16 <= bytes.size(); at += 16) {
        if (random.percent(15)) {
            const FXImage::Register value = extended_value(random);
            std::memcpy(bytes.data() + at, &value, 16);
            continue;
        }
        const std::array<u64, 2> value = vector_value(random);
        std::memcpy(bytes.data() + at, value.data(), 16);
    }
}

namespace {

void randomise_x87(FXImage& fx, Random& random) {
    constexpr u16 kMasked = 0x3f;
    const u16 control = static_cast<u16>(random.next());
    fx.fcw = static_cast<u16>(0x40 | (control & 0x0f00) | kMasked);
    if (random.percent(50))
        fx.fcw = 0x37f;
    if (random.percent(15))
        fx.fcw = static_cast<u16>((fx.fcw & ~kMasked) | (control & kMasked));
    fx.fsw = static_cast<u16>(random.next() & 0x7f00);  // TOP and conditions
    if (random.percent(30))
        fx.fsw |= static_cast<u16>(random.next() & 0x7f);
    if ((fx.fsw & ~fx.fcw & kMasked) != 0) {
        if (random.percent(15))
            fx.fsw |= 0x8080;  // pending: the next waiting instruction faults
        else
            fx.fsw = static_cast<u16>(fx.fsw & ~kMasked);
    }
    fx.ftw = random.percent(60) ? 0xff : static_cast<u8>(random.next());
    for (FXImage::Register& value : fx.st)
        value = extended_value(random);
}

void randomise_mxcsr(FXImage& fx, Random& random) {
    const u32 control = static_cast<u32>(random.next());
    fx.mxcsr = 0x1f80 | (control & 0x6000);
    if (random.percent(20))
        fx.mxcsr |= control & 0x8040;  // FTZ, DAZ
    if (random.percent(15))
        fx.mxcsr = (fx.mxcsr & ~u32{0x1f80}) | (control & 0x1f80);
    if (random.percent(30))
        fx.mxcsr |= control & 0x3f;
}

}  // namespace

State random_state(Random& random) {
    State state;
    for (u64& value : state.gpr)
        value = integer_value(random);
    constexpr u64 kArithmetic = 0x8d5;
    state.rflags = 0x202 | (random.next() & kArithmetic);
    if (random.percent(20))
        state.rflags |= 0x400;  // DF
    if (random.percent(10))
        state.rflags |= random.next() & 0x200000;  // ID
    if (random.percent(2))
        state.rflags |= 0x40000;  // AC
    state.gpr[4] = kData + 0x800 + 8 * random.below(128);
    if (random.percent(6))
        state.gpr[4] += random.below(8);
    randomise_x87(state.fx, random);
    randomise_mxcsr(state.fx, random);
    for (auto& value : state.fx.xmm)
        value = vector_value(random);
    for (auto& value : state.upper)
        value = vector_value(random);
    return state;
}

}  // namespace uchronia::witness
