// Comparison: to masks by the 32 predicates of VCMP, to RFLAGS, and tests of sign bits.
//
// Source: APM vol. 4, VCMPPD (table of the predicates), COMISS, VTESTPS.
#include "cpu/interp/avx_float/float_forms.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;
using namespace sse;

namespace {

// For which relations a predicate holds, and whether a quiet NaN is invalid to it.
struct Predicate {
    bool less, equal, greater, unordered, signals;
};
// The upper sixteen predicates are these with the other answer about quiet NaNs.
constexpr std::array<Predicate, 16> kPredicates = {{
    {false, true, false, false, false},   // EQ_OQ
    {true, false, false, false, true},    // LT_OS
    {true, true, false, false, true},     // LE_OS
    {false, false, false, true, false},   // UNORD_Q
    {true, false, true, true, false},     // NEQ_UQ
    {false, true, true, true, true},      // NLT_US
    {false, false, true, true, true},     // NLE_US
    {true, true, true, false, false},     // ORD_Q
    {false, true, false, true, false},    // EQ_UQ
    {true, false, false, true, true},     // NGE_US
    {true, true, false, true, true},      // NGT_US
    {false, false, false, false, false},  // FALSE_OQ
    {true, false, true, false, false},    // NEQ_OQ
    {false, true, true, false, true},     // GE_OS
    {false, false, true, false, true},    // GT_OS
    {true, true, true, true, false},      // TRUE_UQ
}};

__m128i mask_if(bool condition, __m128i mask) {
    return condition ? mask : _mm_setzero_si128();
}

// A host's SSE has the first eight predicates. The others are put together from those: once the
// unordered elements are replaced by zeros, no comparison is invalid.
template <auto F>
constexpr auto compare = [](__m128i a, __m128i b, u8 immediate) {
    constexpr u8 kEqual = 0, kLess = 1, kUnordered = 3;
    const unsigned number = immediate & 31;
    if (number < 8)
        return F(a, b, static_cast<u8>(number));
    const Predicate& p = kPredicates[number & 15];
    if (p.signals != (number >= 16))
        F(a, b, kLess);  // for the exceptions
    const __m128i unordered = F(a, b, kUnordered);
    const __m128i x = _mm_andnot_si128(unordered, a), y = _mm_andnot_si128(unordered, b);
    const __m128i less = F(x, y, kLess);
    const __m128i equal = _mm_andnot_si128(unordered, F(x, y, kEqual));
    const __m128i not_greater = _mm_or_si128(_mm_or_si128(less, equal), unordered);
    const __m128i greater = _mm_andnot_si128(not_greater, _mm_set1_epi32(-1));
    return _mm_or_si128(_mm_or_si128(mask_if(p.less, less), mask_if(p.equal, equal)),
                        _mm_or_si128(mask_if(p.greater, greater), mask_if(p.unordered, unordered)));
};
// As packed, with zeros in the other elements.
constexpr auto compare_single = [](__m128i a, __m128i b, u8 immediate) {
    const __m128i zero = _mm_setzero_si128();
    const auto lowest = [&](__m128i value, __m128i rest) {
        return _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(rest), _mm_castsi128_ps(value)));
    };
    return lowest(compare<cmpps>(lowest(a, zero), lowest(b, zero), immediate), a);
};
constexpr auto compare_double = [](__m128i a, __m128i b, u8 immediate) {
    const __m128i mask = compare<cmppd>(_mm_move_epi64(a), _mm_move_epi64(b), immediate);
    return merge_halves(mask, a);
};

// Into ZF, PF and CF.
template <auto F>
[[gnu::always_inline]] inline bool order(VCPU& cpu, const Op* op, __m128i b) {
    const __m128i a = ymm(cpu, op->reg).low;
    u16 flags = 0;
    if (!execute_float(cpu, op, [&] { flags = F(a, b); })) [[unlikely]]
        return false;
    cpu.state.flags = {flags};
    return true;
}
template <auto F>
void order_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op) || !order<F>(cpu, op, ymm(cpu, op->rm).low)) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F, unsigned size>
void order_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedYMM b = load<size>(cpu, op);
    if (!b.ok || !order<F>(cpu, op, b.value.low)) [[unlikely]]
        return;
    return next(cpu, op);
}
template <auto F, unsigned size>
constexpr HandlerSet order_form = by_form(order_register<F>, order_memory<F, size>);

// VTESTPS, VTESTPD: ZF if no sign of a AND b is set, CF if none of NOT a AND b.
template <unsigned lane_count, u64 signs>
[[gnu::always_inline]] inline void test_signs(VCPU& cpu, const Op* op, YMM b_value) {
    const auto a = elements_of<u64>(ymm(cpu, op->reg)), b = elements_of<u64>(b_value);
    u64 both = 0, only_b = 0;
    for (unsigned i = 0; i < 2 * lane_count; ++i) {
        both |= a.value[i] & b.value[i] & signs;
        only_b |= ~a.value[i] & b.value[i] & signs;
    }
    u16 flags = ArithmeticFlags::kFixed;
    flags |= both == 0 ? ArithmeticFlags::kZF : 0;
    flags |= only_b == 0 ? ArithmeticFlags::kCF : 0;
    cpu.state.flags = {flags};
}
template <unsigned lane_count, u64 signs>
void test_register(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    test_signs<lane_count, signs>(cpu, op, ymm(cpu, op->rm));
    return next(cpu, op);
}
template <unsigned lane_count, u64 signs>
void test_memory(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const LoadedYMM b = load<16 * lane_count>(cpu, op);
    if (!b.ok) [[unlikely]]
        return;
    test_signs<lane_count, signs>(cpu, op, b.value);
    return next(cpu, op);
}
template <u64 signs>
constexpr auto test_form =
    []<unsigned n>(Lanes<n>) { return by_form(test_register<n, signs>, test_memory<n, signs>); };
constexpr u64 kSingleSigns = 0x8000000080000000, kDoubleSigns = 0x8000000000000000;

}  // namespace

BOTH_LENGTHS(VCMPPS_Vx_Hx_Wx_Ib, packed_float<compare<cmpps>>);
BOTH_LENGTHS(VCMPPD_Vx_Hx_Wx_Ib, packed_float<compare<cmppd>>);
const HandlerSet VCMPSS_Vss_Hss_Wss_Ib = scalar_float<compare_single, 4>();
const HandlerSet VCMPSD_Vsd_Hsd_Wsd_Ib = scalar_float<compare_double, 8>();
const HandlerSet VCOMISS_Vss_Wss = order_form<comiss, 4>;
const HandlerSet VCOMISD_Vsd_Wsd = order_form<comisd, 8>;
const HandlerSet VUCOMISS_Vss_Wss = order_form<ucomiss, 4>;
const HandlerSet VUCOMISD_Vsd_Wsd = order_form<ucomisd, 8>;
BOTH_LENGTHS(VTESTPS_Vx_Wx, test_form<kSingleSigns>);
BOTH_LENGTHS(VTESTPD_Vx_Wx, test_form<kDoubleSigns>);

}  // namespace uchronia::cpu::interp::handler
