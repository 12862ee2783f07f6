#include "cpu/interp/sse/unbounded.h"

#include <bit>
#include <cstring>

#include "cpu/interp/sse/float_unit.h"

namespace uchronia::cpu::interp::sse {
namespace {

constexpr u16 kX87Masks = 0x3f, kX87Precision = 1u << 5;
enum class Fraction : u16 { k24 = 0x000, k53 = 0x200 };  // the x87's precision control

template <class T>
struct Elements {
    T value[16 / sizeof(T)];
};

template <class T>
Elements<T> elements_of(__m128i vector) {
    return std::bit_cast<Elements<T>>(vector);
}

// Denormals count as zero if the guest says so.
double flushed(u64 bits, u32 control) {
    const bool denormal = (bits >> 52 & 0x7ff) == 0;
    if (denormal && (control & mxcsr::kDAZ) != 0)
        bits &= u64{1} << 63;
    return std::bit_cast<double>(bits);
}
double flushed(u32 bits, u32 control) {
    const bool denormal = (bits >> 23 & 0xff) == 0;
    if (denormal && (control & mxcsr::kDAZ) != 0)
        bits &= u32{1} << 31;
    return std::bit_cast<float>(bits);
}

bool inexact(Step step, double a, double b, Fraction fraction) {
    const u16 control = static_cast<u16>(kX87Masks | static_cast<u16>(fraction));
    u16 saved = 0, status = 0;
    asm volatile("fnstcw %0\n\tfnclex\n\tfldcw %1" : "=m"(saved) : "m"(control));
    switch (step) {
        case Step::kAdd:
            asm volatile("fldl %1\n\tfaddl %2\n\tfnstsw %0\n\tfstp %%st(0)"
                         : "=a"(status)
                         : "m"(a), "m"(b));
            break;
        case Step::kSubtract:
            asm volatile("fldl %1\n\tfsubl %2\n\tfnstsw %0\n\tfstp %%st(0)"
                         : "=a"(status)
                         : "m"(a), "m"(b));
            break;
        case Step::kMultiply:
            asm volatile("fldl %1\n\tfmull %2\n\tfnstsw %0\n\tfstp %%st(0)"
                         : "=a"(status)
                         : "m"(a), "m"(b));
            break;
        case Step::kDivide:
            asm volatile("fldl %1\n\tfdivl %2\n\tfnstsw %0\n\tfstp %%st(0)"
                         : "=a"(status)
                         : "m"(a), "m"(b));
            break;
    }
    asm volatile("fnclex\n\tfldcw %0" : : "m"(saved));
    return (status & kX87Precision) != 0;
}

template <class T>
bool inexact_elements(__m128i a, __m128i b, u32 control, Step step, Pairing pairing) {
    constexpr unsigned kCount = 16 / sizeof(T);
    constexpr Fraction kFraction = sizeof(T) == 4 ? Fraction::k24 : Fraction::k53;
    const Elements<T> x = elements_of<T>(a), y = elements_of<T>(b);
    bool result = false;
    for (unsigned i = 0; i < (pairing == Pairing::kScalar ? 1 : kCount); ++i) {
        T left = x.value[i], right = y.value[i];
        Step own = step;
        if (pairing == Pairing::kAlternating) {
            own = i % 2 == 0 ? Step::kSubtract : Step::kAdd;
        } else if (pairing == Pairing::kHorizontal) {
            const Elements<T>& from = i < kCount / 2 ? x : y;
            left = from.value[2 * i % kCount];
            right = from.value[2 * i % kCount + 1];
        }
        result |= inexact(own, flushed(left, control), flushed(right, control), kFraction);
    }
    return result;
}

}  // namespace

bool inexact_singles(__m128i a, __m128i b, u32 control, Step step, Pairing pairing) {
    return inexact_elements<u32>(a, b, control, step, pairing);
}

bool inexact_doubles(__m128i a, __m128i b, u32 control, Step step, Pairing pairing) {
    return inexact_elements<u64>(a, b, control, step, pairing);
}

bool inexact_narrowing_scalar(__m128i, __m128i b, u32 control) {
    return inexact(Step::kAdd, flushed(elements_of<u64>(b).value[0], control), 0, Fraction::k24);
}

bool inexact_narrowing_packed(__m128i a, __m128i b, u32 control) {
    return inexact_narrowing_scalar(a, b, control) |
           inexact_narrowing_scalar(a, _mm_unpackhi_epi64(b, b), control);
}

}  // namespace uchronia::cpu::interp::sse
