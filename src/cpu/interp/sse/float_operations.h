// The host's floating-point instructions, one function each.
//
// They are assembly, not intrinsics, so that the compiler neither moves them across a change of
// MXCSR, nor folds them, nor swaps the operands of a commutative one (which would choose another
// NaN). An assembly template cannot be a template parameter, hence the macros.
#pragma once

#include <emmintrin.h>

#include "base/types.h"

namespace uchronia::cpu::interp::sse {

// clang-format off
#define FLOAT_OPERATION(name)                                            \
    [[gnu::always_inline]] inline __m128i name(__m128i a, __m128i b) {   \
        asm volatile(#name " %1, %0" : "+x"(a) : "x"(b));                \
        return a;                                                        \
    }
#define FLOAT_OPERATION_PACKED(name) FLOAT_OPERATION(name##ps) FLOAT_OPERATION(name##pd)
#define FLOAT_OPERATION_4(name)                                          \
    FLOAT_OPERATION_PACKED(name) FLOAT_OPERATION(name##ss) FLOAT_OPERATION(name##sd)

FLOAT_OPERATION_4(add) FLOAT_OPERATION_4(sub) FLOAT_OPERATION_4(mul) FLOAT_OPERATION_4(div)
FLOAT_OPERATION_4(min) FLOAT_OPERATION_4(max) FLOAT_OPERATION_4(sqrt)
FLOAT_OPERATION_PACKED(addsub)
FLOAT_OPERATION(cvtps2pd) FLOAT_OPERATION(cvtpd2ps)
FLOAT_OPERATION(cvtss2sd) FLOAT_OPERATION(cvtsd2ss)
FLOAT_OPERATION(cvtdq2ps) FLOAT_OPERATION(cvtdq2pd)
FLOAT_OPERATION(cvtps2dq) FLOAT_OPERATION(cvtpd2dq)
FLOAT_OPERATION(cvttps2dq) FLOAT_OPERATION(cvttpd2dq)
#undef FLOAT_OPERATION_PACKED
#undef FLOAT_OPERATION_4
#undef FLOAT_OPERATION

// The horizontal operations by the vertical ones, which all processors give the same one of two
// NaNs: the first operand's, here that of the element with the lower number.
#define HORIZONTAL_OPERATION(name, vertical)                                       \
    [[gnu::always_inline]] inline __m128i name##ps(__m128i a, __m128i b) {         \
        const __m128 x = _mm_castsi128_ps(a), y = _mm_castsi128_ps(b);             \
        return vertical##ps(_mm_castps_si128(_mm_shuffle_ps(x, y, 0x88)),          \
                            _mm_castps_si128(_mm_shuffle_ps(x, y, 0xdd)));         \
    }                                                                              \
    [[gnu::always_inline]] inline __m128i name##pd(__m128i a, __m128i b) {         \
        return vertical##pd(_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b));   \
    }
HORIZONTAL_OPERATION(hadd, add) HORIZONTAL_OPERATION(hsub, sub)
#undef HORIZONTAL_OPERATION

// Rounding to integers as MXCSR says (immediate 4), signalling inexact results.
#define ROUND_OPERATION(name)                                            \
    [[gnu::always_inline]] inline __m128i name(__m128i a, __m128i b) {   \
        asm volatile(#name " $4, %1, %0" : "+x"(a) : "x"(b));            \
        return a;                                                        \
    }
ROUND_OPERATION(roundps) ROUND_OPERATION(roundss) ROUND_OPERATION(roundpd) ROUND_OPERATION(roundsd)
#undef ROUND_OPERATION

// Comparison by one of the eight predicates of legacy SSE.
#define COMPARE_CASE(name, n)                                            \
        case n:                                                          \
            asm volatile(#name " $" #n ", %1, %0" : "+x"(a) : "x"(b));   \
            break;
#define COMPARE_OPERATION(name)                                          \
    [[gnu::always_inline]] inline __m128i name(__m128i a, __m128i b, u8 predicate) { \
        switch (predicate & 7) {                                         \
            COMPARE_CASE(name, 0) COMPARE_CASE(name, 1)                  \
            COMPARE_CASE(name, 2) COMPARE_CASE(name, 3)                  \
            COMPARE_CASE(name, 4) COMPARE_CASE(name, 5)                  \
            COMPARE_CASE(name, 6) COMPARE_CASE(name, 7)                  \
        }                                                                \
        return a;                                                        \
    }
COMPARE_OPERATION(cmpps) COMPARE_OPERATION(cmpss) COMPARE_OPERATION(cmppd) COMPARE_OPERATION(cmpsd)
#undef COMPARE_OPERATION
#undef COMPARE_CASE

// Comparison into ZF, PF and CF: the host's AH after LAHF, in bits 8-15. OF is 0.
#define ORDER_OPERATION(name)                                                      \
    [[gnu::always_inline]] inline u16 name(__m128i a, __m128i b) {                 \
        u16 ax = 0;                                                                \
        asm volatile(#name " %2, %1\n\tlahf" : "+a"(ax) : "x"(a), "x"(b) : "cc");  \
        return ax;                                                                 \
    }
ORDER_OPERATION(comiss) ORDER_OPERATION(comisd) ORDER_OPERATION(ucomiss) ORDER_OPERATION(ucomisd)
#undef ORDER_OPERATION

// Between general and XMM registers; `instruction` carries the size suffix of the general register.
#define FROM_INTEGER_OPERATION(name, instruction, T)                               \
    [[gnu::always_inline]] inline __m128i name(__m128i a, T value) {               \
        asm volatile(instruction " %1, %0" : "+x"(a) : "r"(value));                \
        return a;                                                                  \
    }
#define TO_INTEGER_OPERATION(name, instruction, T)                                 \
    [[gnu::always_inline]] inline T name(__m128i source) {                         \
        T value;                                                                   \
        asm volatile(instruction " %1, %0" : "=r"(value) : "x"(source));           \
        return value;                                                              \
    }
FROM_INTEGER_OPERATION(cvtsi2ss_32, "cvtsi2ssl", u32)
FROM_INTEGER_OPERATION(cvtsi2ss_64, "cvtsi2ssq", u64)
FROM_INTEGER_OPERATION(cvtsi2sd_32, "cvtsi2sdl", u32)
FROM_INTEGER_OPERATION(cvtsi2sd_64, "cvtsi2sdq", u64)
TO_INTEGER_OPERATION(cvtss2si_32, "cvtss2sil", u32)
TO_INTEGER_OPERATION(cvtss2si_64, "cvtss2siq", u64)
TO_INTEGER_OPERATION(cvtsd2si_32, "cvtsd2sil", u32)
TO_INTEGER_OPERATION(cvtsd2si_64, "cvtsd2siq", u64)
TO_INTEGER_OPERATION(cvttss2si_32, "cvttss2sil", u32)
TO_INTEGER_OPERATION(cvttss2si_64, "cvttss2siq", u64)
TO_INTEGER_OPERATION(cvttsd2si_32, "cvttsd2sil", u32)
TO_INTEGER_OPERATION(cvttsd2si_64, "cvttsd2siq", u64)
#undef TO_INTEGER_OPERATION
#undef FROM_INTEGER_OPERATION
// clang-format on

}  // namespace uchronia::cpu::interp::sse
