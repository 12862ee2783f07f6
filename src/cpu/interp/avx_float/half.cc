// F16C: VCVTPH2PS and VCVTPS2PH. Flush-to-zero does not apply to half precision.
//
// Source: APM vol. 4, VCVTPH2PS and VCVTPS2PH.
#include "cpu/interp/avx_float/forms.h"
#include "cpu/interp/avx_float/rounding.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;
using namespace sse;

namespace {

template <class T>
T sign_from(bool negative) {
    return negative ? static_cast<T>(T{1} << (8 * sizeof(T) - 1)) : T{0};
}
constexpr int kExtraBits = SingleFormat::kFractionBits - HalfFormat::kFractionBits;

// Always exact; denormals are not remarked.
Rounded<SingleFormat> widened(u16 half) {
    const u32 sign = sign_from<u32>(HalfFormat::is_negative(half));
    const u32 fraction = (half & u32{HalfFormat::kFraction}) << kExtraBits;
    if (HalfFormat::is_nan(half))
        return {sign | SingleFormat::kInfinity | SingleFormat::kQuiet | fraction,
                HalfFormat::is_signalling(half) ? mxcsr::kIE : 0};
    if (HalfFormat::is_infinity(half))
        return {sign | SingleFormat::kInfinity, 0};
    if (HalfFormat::is_zero(half))
        return {sign, 0};
    return round_to<SingleFormat>(exact<HalfFormat>(half), mxcsr::kDefault);
}

Rounded<HalfFormat> narrowed(u32 single, u32 control) {
    const u16 sign = sign_from<u16>(SingleFormat::is_negative(single));
    if (SingleFormat::is_nan(single)) {
        const u32 fraction = (single & SingleFormat::kFraction) >> kExtraBits;
        return {static_cast<u16>(sign | HalfFormat::kInfinity | HalfFormat::kQuiet | fraction),
                SingleFormat::is_signalling(single) ? mxcsr::kIE : 0};
    }
    if (SingleFormat::is_infinity(single))
        return {static_cast<u16>(sign | HalfFormat::kInfinity), 0};
    const bool denormal = SingleFormat::is_denormal(single);
    if (SingleFormat::is_zero(single) || (denormal && (control & mxcsr::kDAZ) != 0))
        return {sign, 0};
    Rounded<HalfFormat> result =
        round_to<HalfFormat>(exact<SingleFormat>(single), control & ~mxcsr::kFTZ);
    result.flags |= denormal ? mxcsr::kDE : 0;
    return result;
}

bool is_unmasked(const VCPU& cpu, u32 flags) {
    return (flags & ~(cpu.state.mxcsr >> mxcsr::kMaskShift)) != 0;
}

template <unsigned lane_count>
[[gnu::noinline]] bool widen(VCPU& cpu, const Op* op, YMM source) {
    const auto halves = elements_of<u16>(source);
    Elements<u32> result{};
    u32 flags = 0;
    for (unsigned i = 0; i < 4 * lane_count; ++i) {
        const Rounded<SingleFormat> element = widened(halves.value[i]);
        result.value[i] = element.bits;
        flags |= element.flags;
    }
    if (is_unmasked(cpu, flags))
        return raise_float_exception(cpu, op, flags);
    set_ymm(cpu, op->reg, ymm_of(result));
    cpu.state.mxcsr |= flags;
    return true;
}
template <unsigned lane_count>
void widen_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op) || !widen<lane_count>(cpu, op, ymm(cpu, op->rm))) [[unlikely]]
        return;
    return next(cpu, op);
}
template <unsigned lane_count>
void widen_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedYMM source = load<8 * lane_count>(cpu, op);
    if (!source.ok || !widen<lane_count>(cpu, op, source.value)) [[unlikely]]
        return;
    return next(cpu, op);
}

// The immediate's bit 2 takes the rounding from MXCSR, else bits 0-1 give it.
u32 narrowing_control(const VCPU& cpu, const Op* op) {
    const u32 immediate = vex_immediate(op);
    if ((immediate & 4) != 0)
        return cpu.state.mxcsr;
    return (cpu.state.mxcsr & ~mxcsr::kRounding) | ((immediate & 3) << mxcsr::kRoundingShift);
}

struct Halves {
    YMM value;
    u32 flags;
};
template <unsigned lane_count>
Halves narrow(VCPU& cpu, const Op* op) {
    const u32 control = narrowing_control(cpu, op);
    const auto singles = elements_of<u32>(ymm(cpu, op->reg));
    Elements<u16> result{};
    u32 flags = 0;
    for (unsigned i = 0; i < 4 * lane_count; ++i) {
        const Rounded<HalfFormat> element = narrowed(singles.value[i], control);
        result.value[i] = element.bits;
        flags |= element.flags;
    }
    return {ymm_of(result), flags};
}
template <unsigned lane_count>
[[gnu::noinline]] bool narrow_to_register(VCPU& cpu, const Op* op) {
    const Halves halves = narrow<lane_count>(cpu, op);
    if (is_unmasked(cpu, halves.flags))
        return raise_float_exception(cpu, op, halves.flags);
    set_ymm(cpu, op->rm, halves.value);
    cpu.state.mxcsr |= halves.flags;
    return true;
}
// The operand's own faults come before floating-point exceptions.
template <unsigned lane_count>
[[gnu::noinline]] bool narrow_to_memory(VCPU& cpu, const Op* op) {
    constexpr unsigned kSize = 8 * lane_count;
    const Halves halves = narrow<lane_count>(cpu, op);
    if (is_unmasked(cpu, halves.flags)) {
        return check_writable(cpu, op, linear_address(cpu, op, Access::kWrite), kSize) &&
               raise_float_exception(cpu, op, halves.flags);
    }
    if (!store<kSize>(cpu, op, halves.value))
        return false;
    cpu.state.mxcsr |= halves.flags;
    return true;
}
template <auto F>
void narrowing_form(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op) || !F(cpu, op)) [[unlikely]]
        return;
    return next(cpu, op);
}

constexpr auto widening = []<unsigned n>(Lanes<n>) {
    return by_form(widen_register<n>, widen_memory<n>);
};
constexpr auto narrowing = []<unsigned n>(Lanes<n>) {
    return by_form(narrowing_form<narrow_to_register<n>>, narrowing_form<narrow_to_memory<n>>);
};

}  // namespace

BOTH_LENGTHS(VCVTPH2PS_Vx_Wx, widening);
BOTH_LENGTHS(VCVTPS2PH_Wx_Vx_Ib, narrowing);

}  // namespace uchronia::cpu::interp::handler
