#include "cpu/interp/avx_float/fused.h"

#include <utility>

namespace uchronia::cpu::interp::avx_float {
namespace {

using namespace sse;

ExactNumber product_of(const ExactNumber& x, const ExactNumber& y, bool negated) {
    // Fractions have at most 53 bits, at the top: nothing is lost. The product is below 2^127.
    const u128 fraction = (x.fraction >> 63) * (y.fraction >> 64);
    return normalised((x.negative != y.negative) != negated, x.exponent + y.exponent + 1, fraction);
}

// What is shifted out leaves its trace in bit 0.
u128 shifted_right(u128 value, int count) {
    if (count == 0)
        return value;
    if (count > kExactBits)
        return 1;
    const bool lost = (value & ((u128{1} << count) - 1)) != 0;
    return (value >> count) | (lost ? 1 : 0);
}

// A sum that is not zero. Bits are only lost where the exponents are so far apart that at most one
// leading bit can cancel: far below any bit that decides the rounding.
ExactNumber sum_of(ExactNumber a, ExactNumber b) {
    if (a.exponent < b.exponent || (a.exponent == b.exponent && a.fraction < b.fraction))
        std::swap(a, b);
    const u128 small = shifted_right(b.fraction, a.exponent - b.exponent);
    if (a.negative != b.negative)
        return normalised(a.negative, a.exponent, a.fraction - small);
    const u128 sum = a.fraction + small;
    if ((sum >> (kExactBits + 1)) == 0)
        return {a.negative, a.exponent, sum};
    return {a.negative, a.exponent + 1, shifted_right(sum, 1)};
}

template <class F>
typename F::Bits without_denormal(typename F::Bits bits, u32 control) {
    const bool flush = (control & mxcsr::kDAZ) != 0 && F::is_denormal(bits);
    return flush ? static_cast<typename F::Bits>(bits & F::kSign) : bits;
}

bool cancels(const ExactNumber& a, const ExactNumber& b) {
    return a.negative != b.negative && a.exponent == b.exponent && a.fraction == b.fraction;
}

}  // namespace

template <class F>
Rounded<F> multiply_add(typename F::Bits x, typename F::Bits y, typename F::Bits z,
                        FusedSigns negated, u32 control) {
    using Bits = typename F::Bits;
    x = without_denormal<F>(x, control);
    y = without_denormal<F>(y, control);
    z = without_denormal<F>(z, control);
    const bool signalling = F::is_signalling(x) || F::is_signalling(y) || F::is_signalling(z);
    for (const Bits operand : {x, y, z}) {
        if (F::is_nan(operand))
            return {static_cast<Bits>(operand | F::kQuiet), signalling ? mxcsr::kIE : 0};
    }
    const bool infinite = F::is_infinity(x) || F::is_infinity(y);
    const bool zero = F::is_zero(x) || F::is_zero(y);
    const bool negative_product = (F::is_negative(x) != F::is_negative(y)) != negated.product;
    if (negated.addend)
        z ^= F::kSign;
    const Bits sign = negative_product ? F::kSign : 0;
    if ((infinite && zero) ||
        (infinite && F::is_infinity(z) && F::is_negative(z) != negative_product))
        return {F::kDefaultNaN, mxcsr::kIE};

    const bool denormal = F::is_denormal(x) || F::is_denormal(y) || F::is_denormal(z);
    const u32 flags = denormal ? mxcsr::kDE : 0;
    const auto rounded = [&](const ExactNumber& number) {
        Rounded<F> result = round_to<F>(number, control);
        result.flags |= flags;
        return result;
    };
    const Bits zero_sum = rounding_of(control) == RoundingMode::kDown ? F::kSign : 0;
    if (infinite)
        return {static_cast<Bits>(sign | F::kInfinity), flags};
    if (F::is_infinity(z))
        return {z, flags};
    if (zero && F::is_zero(z))
        return {F::is_negative(z) == negative_product ? z : zero_sum, flags};
    if (zero)
        return rounded(exact<F>(z));
    const ExactNumber product = product_of(exact<F>(x), exact<F>(y), negated.product);
    if (F::is_zero(z))
        return rounded(product);
    const ExactNumber addend = exact<F>(z);
    if (cancels(product, addend))
        return {zero_sum, flags};
    return rounded(sum_of(product, addend));
}

template Rounded<SingleFormat> multiply_add<SingleFormat>(u32, u32, u32, FusedSigns, u32);
template Rounded<DoubleFormat> multiply_add<DoubleFormat>(u64, u64, u64, FusedSigns, u32);

}  // namespace uchronia::cpu::interp::avx_float
