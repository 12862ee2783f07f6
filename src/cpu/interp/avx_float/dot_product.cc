// VDPPS and VDPPD: as sse/dot_product.cc, each step for both lanes at once.
#include "cpu/interp/avx_float/float_forms.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;
using namespace sse;

namespace {

// All ones in element i if bit i of `bits` is set.
__m128i single_mask(unsigned bits) {
    return _mm_set_epi32(-static_cast<int>((bits >> 3) & 1), -static_cast<int>((bits >> 2) & 1),
                         -static_cast<int>((bits >> 1) & 1), -static_cast<int>(bits & 1));
}
__m128i double_mask(unsigned bits) {
    return _mm_set_epi64x(-static_cast<i64>((bits >> 1) & 1), -static_cast<i64>(bits & 1));
}
YMM and_lanes(YMM a, __m128i mask) {
    return {_mm_and_si128(a.low, mask), _mm_and_si128(a.high, mask)};
}

template <auto F, Inexact inexact, unsigned lane_count>
[[gnu::always_inline]] inline LoadedYMM step(VCPU& cpu, const Op* op, YMM a, YMM b) {
    const u32 control = cpu.state.mxcsr;
    YMM result = a;
    const bool ok = execute_float(
        cpu, op, {control}, [&] { result = by_lane<F, lane_count>(a, b, 0); },
        [&] { return inexact_lanes<inexact, lane_count>(a, b, control); });
    return {result, ok};
}

template <unsigned lane_count>
struct Singles {
    static constexpr Inexact kInexactProduct = singles<Step::kMultiply, Pairing::kPacked>;
    static constexpr Inexact kInexactSum = singles<Step::kAdd, Pairing::kHorizontal>;

    static LoadedYMM dot_product(VCPU& cpu, const Op* op, YMM a, YMM b) {
        const unsigned immediate = vex_immediate(op);
        const __m128i chosen = single_mask(immediate >> 4);
        const LoadedYMM products = step<mulps, kInexactProduct, lane_count>(
            cpu, op, and_lanes(a, chosen), and_lanes(b, chosen));
        if (!products.ok)
            return products;
        const LoadedYMM sums =
            step<haddps, kInexactSum, lane_count>(cpu, op, products.value, products.value);
        if (!sums.ok)
            return sums;
        const LoadedYMM sum =
            step<haddps, kInexactSum, lane_count>(cpu, op, sums.value, sums.value);
        return {and_lanes(sum.value, single_mask(immediate & 15)), sum.ok};
    }
};

struct Doubles {
    static LoadedYMM dot_product(VCPU& cpu, const Op* op, YMM a, YMM b) {
        const unsigned immediate = vex_immediate(op);
        const __m128i chosen = double_mask(immediate >> 4);
        const LoadedYMM products = step<mulpd, doubles<Step::kMultiply, Pairing::kPacked>, 1>(
            cpu, op, and_lanes(a, chosen), and_lanes(b, chosen));
        if (!products.ok)
            return products;
        const LoadedYMM sum = step<haddpd, doubles<Step::kAdd, Pairing::kHorizontal>, 1>(
            cpu, op, products.value, products.value);
        return {and_lanes(sum.value, double_mask(immediate & 3)), sum.ok};
    }
};

template <class Format>
[[gnu::noinline]] bool compute(VCPU& cpu, const Op* op, YMM b) {
    const LoadedYMM result = Format::dot_product(cpu, op, ymm(cpu, vex_vvvv(op)), b);
    if (result.ok) [[likely]]
        set_ymm(cpu, op->reg, result.value);
    return result.ok;
}
template <class Format>
void dot_product_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op) || !compute<Format>(cpu, op, ymm(cpu, op->rm))) [[unlikely]]
        return;
    return next(cpu, op);
}
template <class Format, unsigned size>
void dot_product_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedYMM b = load<size>(cpu, op);
    if (!b.ok || !compute<Format>(cpu, op, b.value)) [[unlikely]]
        return;
    return next(cpu, op);
}

constexpr auto of_singles = []<unsigned n>(Lanes<n>) {
    return by_form(dot_product_register<Singles<n>>, dot_product_memory<Singles<n>, 16 * n>);
};

}  // namespace

BOTH_LENGTHS(VDPPS_Vx_Hx_Wx_Ib, of_singles);
const HandlerSet VDPPD_Vx_Hx_Wx_Ib =
    by_form(dot_product_register<Doubles>, dot_product_memory<Doubles, 16>);

}  // namespace uchronia::cpu::interp::handler
