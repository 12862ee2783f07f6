// FMA: VFMADD132PS and relatives. The digits tell which operands are multiplied: of ModRM.reg (1),
// VEX.vvvv (2) and ModRM.rm (3), the first two of the digits, and the last is added.
//
// In the default mode the host does it if it has FMA: it agrees with fused.h in every bit.
#include "cpu/interp/avx_float/float_forms.h"
#include "cpu/interp/avx_float/fused.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;
using namespace sse;

namespace {

enum class Order : u8 { k132, k213, k231 };

// Whether the product is negated, and the addends of even and of odd elements.
struct Signs {
    bool product, even, odd;
};
constexpr Signs kMultiplyAdd{false, false, false}, kMultiplySubtract{false, true, true},
    kNegativeAdd{true, false, false}, kNegativeSubtract{true, true, true},
    kAddSubtract{false, true, false}, kSubtractAdd{false, false, true};

// x * y + z
struct Operands {
    YMM x, y, z;
};
template <Order order>
[[gnu::always_inline]] inline Operands operands_of(VCPU& cpu, const Op* op, YMM c) {
    const YMM a = ymm(cpu, op->reg), b = ymm(cpu, vex_vvvv(op));
    switch (order) {
        case Order::k132:
            return {a, c, b};
        case Order::k213:
            return {b, a, c};
        default:
            return {b, c, a};
    }
}

template <class F>
struct Host;
template <>
struct Host<SingleFormat> {
    static __m128i multiply_add(__m128i x, __m128i y, __m128i z) {
        asm volatile("vfmadd213ps %2, %1, %0" : "+x"(y) : "x"(x), "x"(z));
        return y;
    }
    static bool has_nan(__m128i a) {
        const __m128 value = _mm_castsi128_ps(a);
        return _mm_movemask_ps(_mm_cmpunord_ps(value, value)) != 0;
    }
};
template <>
struct Host<DoubleFormat> {
    static __m128i multiply_add(__m128i x, __m128i y, __m128i z) {
        asm volatile("vfmadd213pd %2, %1, %0" : "+x"(y) : "x"(x), "x"(z));
        return y;
    }
    static bool has_nan(__m128i a) {
        const __m128d value = _mm_castsi128_pd(a);
        return _mm_movemask_pd(_mm_cmpunord_pd(value, value)) != 0;
    }
};

template <class F, Order order, Signs signs, unsigned element_count>
struct Fused {
    using Bits = typename F::Bits;
    static constexpr unsigned kPerLane = 16 / sizeof(Bits);
    static constexpr unsigned kLaneCount = element_count > kPerLane ? 2 : 1;
    static constexpr unsigned kSize = element_count == 1 ? sizeof(Bits) : 16 * kLaneCount;

    // Writes the result: a scalar one leaves the rest of the lane.
    static void commit(VCPU& cpu, const Op* op, YMM result, u32 flags) {
        Elements<Bits> elements = elements_of<Bits>(ymm(cpu, op->reg));
        const Elements<Bits> computed = elements_of<Bits>(result);
        for (unsigned i = 0; i < element_count; ++i)
            elements.value[i] = computed.value[i];
        set_ymm(cpu, op->reg, zero_extended<16 * kLaneCount>(ymm_of(elements)));
        cpu.state.mxcsr |= flags;
    }

    // Any mode; false if a fault was raised.
    [[gnu::noinline]] static bool compute(VCPU& cpu, const Op* op, YMM c) {
        const Operands operands = operands_of<order>(cpu, op, c);
        const auto x = elements_of<Bits>(operands.x), y = elements_of<Bits>(operands.y),
                   z = elements_of<Bits>(operands.z);
        const u32 control = cpu.state.mxcsr;
        Elements<Bits> result{};
        u32 flags = 0;
        for (unsigned i = 0; i < element_count; ++i) {
            const FusedSigns negated{signs.product, i % 2 == 0 ? signs.even : signs.odd};
            const Rounded<F> rounded =
                multiply_add<F>(x.value[i], y.value[i], z.value[i], negated, control);
            result.value[i] = rounded.bits;
            flags |= rounded.flags;
        }
        if ((flags & ~(control >> mxcsr::kMaskShift)) != 0)
            return raise_float_exception(cpu, op, flags);
        commit(cpu, op, ymm_of(result), flags);
        return true;
    }

    // The bits that negate the elements of a lane.
    static __m128i sign_bits(bool even, bool odd) {
        std::array<Bits, kPerLane> bits{};
        for (unsigned i = 0; i < element_count && i < kPerLane; ++i)
            bits[i] = (i % 2 == 0 ? even : odd) ? F::kSign : 0;
        return std::bit_cast<__m128i>(bits);
    }
    // Scalars are computed with zeros beside them.
    static __m128i trimmed(__m128i value) {
        if constexpr (element_count == 1)
            return zero_extended<kSize>(lower_lane(value)).low;
        else
            return value;
    }
    static __m128i on_host(__m128i x, __m128i y, __m128i z) {
        const __m128i negated_x =
            _mm_xor_si128(trimmed(x), sign_bits(signs.product, signs.product));
        const __m128i negated_z = _mm_xor_si128(trimmed(z), sign_bits(signs.even, signs.odd));
        return Host<F>::multiply_add(negated_x, trimmed(y), negated_z);
    }

    // On the host, in the default mode. False, with nothing changed, if there are NaNs: these have
    // signs of their own.
    static bool compute_on_host(VCPU& cpu, const Op* op, YMM c) {
        const Operands operands = operands_of<order>(cpu, op, c);
        YMM result = operands.x;
        load_host_mxcsr(kHostMXCSR);
        result.low = on_host(operands.x.low, operands.y.low, operands.z.low);
        if (kLaneCount == 2)
            result.high = on_host(operands.x.high, operands.y.high, operands.z.high);
        const u32 flags = host_flags(cpu);
        if (Host<F>::has_nan(result.low) || (kLaneCount == 2 && Host<F>::has_nan(result.high)))
            return false;
        commit(cpu, op, result, flags);
        return true;
    }

    [[gnu::always_inline]] static bool execute(VCPU& cpu, const Op* op, YMM c) {
        if (in_default_mode(cpu.state.mxcsr) && __builtin_cpu_supports("fma") &&
            compute_on_host(cpu, op, c)) [[likely]]
            return true;
        return compute(cpu, op, c);
    }

    static void register_form(VCPU& cpu, const Op* op) {
        if (!avx_available(cpu, op) || !execute(cpu, op, ymm(cpu, op->rm))) [[unlikely]]
            return;
        return next(cpu, op);
    }
    static void memory_form(VCPU& cpu, const Op* op) {
        if (!avx_available(cpu, op)) [[unlikely]]
            return;
        const LoadedYMM c = load<kSize>(cpu, op);
        if (!c.ok || !execute(cpu, op, c.value)) [[unlikely]]
            return;
        return next(cpu, op);
    }
    static constexpr HandlerSet kHandlers = by_form(register_form, memory_form);
};

}  // namespace

// The rows of one operation, for one order.
#define PACKED_ROWS(name, order, signs)                                                       \
    const HandlerSet name##PS_Vx_Hx_Wx_128 = Fused<SingleFormat, order, signs, 4>::kHandlers; \
    const HandlerSet name##PS_Vx_Hx_Wx_256 = Fused<SingleFormat, order, signs, 8>::kHandlers; \
    const HandlerSet name##PD_Vx_Hx_Wx_128 = Fused<DoubleFormat, order, signs, 2>::kHandlers; \
    const HandlerSet name##PD_Vx_Hx_Wx_256 = Fused<DoubleFormat, order, signs, 4>::kHandlers
#define ALL_ROWS(name, order, signs)                                                         \
    PACKED_ROWS(name, order, signs);                                                         \
    const HandlerSet name##SS_Vss_Hss_Wss = Fused<SingleFormat, order, signs, 1>::kHandlers; \
    const HandlerSet name##SD_Vsd_Hsd_Wsd = Fused<DoubleFormat, order, signs, 1>::kHandlers

ALL_ROWS(VFMADD132, Order::k132, kMultiplyAdd);
ALL_ROWS(VFMADD213, Order::k213, kMultiplyAdd);
ALL_ROWS(VFMADD231, Order::k231, kMultiplyAdd);
ALL_ROWS(VFMSUB132, Order::k132, kMultiplySubtract);
ALL_ROWS(VFMSUB213, Order::k213, kMultiplySubtract);
ALL_ROWS(VFMSUB231, Order::k231, kMultiplySubtract);
ALL_ROWS(VFNMADD132, Order::k132, kNegativeAdd);
ALL_ROWS(VFNMADD213, Order::k213, kNegativeAdd);
ALL_ROWS(VFNMADD231, Order::k231, kNegativeAdd);
ALL_ROWS(VFNMSUB132, Order::k132, kNegativeSubtract);
ALL_ROWS(VFNMSUB213, Order::k213, kNegativeSubtract);
ALL_ROWS(VFNMSUB231, Order::k231, kNegativeSubtract);
PACKED_ROWS(VFMADDSUB132, Order::k132, kAddSubtract);
PACKED_ROWS(VFMADDSUB213, Order::k213, kAddSubtract);
PACKED_ROWS(VFMADDSUB231, Order::k231, kAddSubtract);
PACKED_ROWS(VFMSUBADD132, Order::k132, kSubtractAdd);
PACKED_ROWS(VFMSUBADD213, Order::k213, kSubtractAdd);
PACKED_ROWS(VFMSUBADD231, Order::k231, kSubtractAdd);

}  // namespace uchronia::cpu::interp::handler
