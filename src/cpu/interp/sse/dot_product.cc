// DPPS and DPPD, by the manual's own steps, so that the rounding of each and the choice among NaNs
// are ours: products of the elements chosen by the immediate's high half (0 for the others), sums
// of neighbours, the sum of these, copied to the elements chosen by the low half.
//
// Each step signals its own exceptions; the first unmasked one ends the instruction.
#include "cpu/interp/sse/float_forms.h"

namespace uchronia::cpu::interp::handler {

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

template <auto F, Inexact inexact>
[[gnu::always_inline]] inline Loaded step(VCPU& cpu, const Op* op, __m128i a, __m128i b) {
    const u32 control = cpu.state.mxcsr;
    __m128i result = a;
    const bool ok = execute_float(
        cpu, op, {control}, [&] { result = F(a, b); }, [&] { return inexact(a, b, control); });
    return {result, ok};
}

struct Singles {
    static Loaded dot_product(VCPU& cpu, const Op* op, __m128i a, __m128i b) {
        const unsigned immediate = static_cast<u8>(op->immediate);
        const __m128i chosen = single_mask(immediate >> 4);
        const Loaded products = step<mulps, singles<Step::kMultiply, Pairing::kPacked>>(
            cpu, op, _mm_and_si128(a, chosen), _mm_and_si128(b, chosen));
        if (!products.ok)
            return products;
        constexpr Inexact kInexactSum = singles<Step::kAdd, Pairing::kHorizontal>;
        const Loaded sums = step<haddps, kInexactSum>(cpu, op, products.value, products.value);
        if (!sums.ok)
            return sums;
        const Loaded sum = step<haddps, kInexactSum>(cpu, op, sums.value, sums.value);
        return {_mm_and_si128(sum.value, single_mask(immediate & 15)), sum.ok};
    }
};

struct Doubles {
    static Loaded dot_product(VCPU& cpu, const Op* op, __m128i a, __m128i b) {
        const unsigned immediate = static_cast<u8>(op->immediate);
        const __m128i chosen = double_mask(immediate >> 4);
        const Loaded products = step<mulpd, doubles<Step::kMultiply, Pairing::kPacked>>(
            cpu, op, _mm_and_si128(a, chosen), _mm_and_si128(b, chosen));
        if (!products.ok)
            return products;
        const Loaded sum = step<haddpd, doubles<Step::kAdd, Pairing::kHorizontal>>(
            cpu, op, products.value, products.value);
        return {_mm_and_si128(sum.value, double_mask(immediate & 3)), sum.ok};
    }
};

template <class Format>
void dot_product_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded result = Format::dot_product(cpu, op, xmm(cpu, op->reg), xmm(cpu, op->rm));
    if (!result.ok) [[unlikely]]
        return;
    set_xmm(cpu, op->reg, result.value);
    return next(cpu, op);
}
template <class Format>
void dot_product_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<Width::kAligned>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    const Loaded result = Format::dot_product(cpu, op, xmm(cpu, op->reg), source.value);
    if (!result.ok) [[unlikely]]
        return;
    set_xmm(cpu, op->reg, result.value);
    return next(cpu, op);
}

}  // namespace

const HandlerSet DPPS_Vps_Wps_Ib =
    by_form(dot_product_register<Singles>, dot_product_memory<Singles>);
const HandlerSet DPPD_Vpd_Wpd_Ib =
    by_form(dot_product_register<Doubles>, dot_product_memory<Doubles>);

}  // namespace uchronia::cpu::interp::handler
