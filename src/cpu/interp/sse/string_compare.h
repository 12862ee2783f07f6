// The comparison that PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM share.
//
// Pure functions. `a` is the first operand (the set, the ranges, the substring), `b` the second
// (the text); lengths are in elements, 8 words or 16 bytes at most.
//
// Source: APM vol. 4, "String Compare Instructions" (1.5).
#pragma once

#include <emmintrin.h>

#include "cpu/state.h"

namespace uchronia::cpu::interp::sse {

struct StringComparison {
    u32 result;      // IntRes2: one bit for each element of b
    unsigned count;  // of elements in an operand: 8 or 16
    ArithmeticFlags flags;
};

// Elements before the first zero.
unsigned implicit_length(__m128i operand, u8 immediate);
// From a general register's signed count: its magnitude, at most the element count.
unsigned explicit_length(i64 value, u8 immediate);

StringComparison compare_strings(__m128i a, unsigned length_a, __m128i b, unsigned length_b,
                                 u8 immediate);

// The two forms of the answer.
u32 index_result(const StringComparison& comparison, u8 immediate);
__m128i mask_result(const StringComparison& comparison, u8 immediate);

}  // namespace uchronia::cpu::interp::sse
