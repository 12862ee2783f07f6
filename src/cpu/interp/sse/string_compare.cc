#include "cpu/interp/sse/string_compare.h"

#include <smmintrin.h>

#include <algorithm>
#include <bit>

#include "cpu/interp/sse/string_forms.h"

namespace uchronia::cpu::interp {

namespace sse {
namespace {

// Fields of the immediate.
enum class Aggregation : u8 { kEqualAny, kRanges, kEqualEach, kEqualOrdered };
bool words(u8 immediate) {
    return (immediate & 1) != 0;
}
bool signed_elements(u8 immediate) {
    return (immediate & 2) != 0;
}
Aggregation aggregation(u8 immediate) {
    return static_cast<Aggregation>((immediate >> 2) & 3);
}
bool negative(u8 immediate) {
    return (immediate & 0x10) != 0;
}
bool masked(u8 immediate) {
    return (immediate & 0x20) != 0;
}
// Most significant index, or a mask of whole elements.
bool wide_output(u8 immediate) {
    return (immediate & 0x40) != 0;
}

unsigned element_count(u8 immediate) {
    return words(immediate) ? 8 : 16;
}
constexpr u32 low_bits(unsigned count) {
    return (1u << count) - 1;
}

// One bit for each element that is all ones.
u32 bits_of(__m128i comparison, u8 immediate) {
    if (words(immediate))
        comparison = _mm_packs_epi16(comparison, _mm_setzero_si128());
    return static_cast<u32>(_mm_movemask_epi8(comparison));
}
__m128i broadcast(__m128i a, unsigned index, u8 immediate) {
    const __m128i control = words(immediate)
                                ? _mm_set1_epi16(static_cast<i16>(0x0100 + 0x0202 * index))
                                : _mm_set1_epi8(static_cast<char>(index));
    return _mm_shuffle_epi8(a, control);
}
u32 equal_bits(__m128i x, __m128i y, u8 immediate) {
    return bits_of(words(immediate) ? _mm_cmpeq_epi16(x, y) : _mm_cmpeq_epi8(x, y), immediate);
}
u32 greater_bits(__m128i x, __m128i y, u8 immediate) {
    return bits_of(words(immediate) ? _mm_cmpgt_epi16(x, y) : _mm_cmpgt_epi8(x, y), immediate);
}
// The host compares as signed: unsigned elements are moved there.
__m128i as_signed(__m128i x, u8 immediate) {
    if (signed_elements(immediate))
        return x;
    return _mm_xor_si128(x, words(immediate) ? _mm_set1_epi16(static_cast<i16>(0x8000))
                                             : _mm_set1_epi8(static_cast<char>(0x80)));
}

u32 equal_any(__m128i a, unsigned length_a, __m128i b, u8 immediate) {
    u32 result = 0;
    for (unsigned i = 0; i < length_a; ++i)
        result |= equal_bits(broadcast(a, i, immediate), b, immediate);
    return result;
}

// Even elements of a are lower bounds, odd ones upper bounds; a pair without an end is no range.
u32 in_ranges(__m128i a, unsigned length_a, __m128i b, u8 immediate) {
    a = as_signed(a, immediate);
    b = as_signed(b, immediate);
    u32 result = 0;
    for (unsigned i = 0; i + 1 < length_a; i += 2) {
        const u32 below = greater_bits(broadcast(a, i, immediate), b, immediate);
        const u32 above = greater_bits(b, broadcast(a, i + 1, immediate), immediate);
        result |= ~(below | above);
    }
    return result;
}

// Elements beyond both ends are equal, beyond one end they are not.
u32 equal_each(__m128i a, u32 valid_a, __m128i b, u32 valid_b, u8 immediate) {
    return (equal_bits(a, b, immediate) & valid_a & valid_b) | ~(valid_a | valid_b);
}

// Bit j: a is found in b at j, or its part that fits there.
u32 equal_ordered(__m128i a, unsigned length_a, __m128i b, u32 valid_b, u8 immediate) {
    const u32 all = low_bits(element_count(immediate));
    u32 result = all;
    for (unsigned i = 0; i < length_a; ++i) {
        const u32 equal = equal_bits(broadcast(a, i, immediate), b, immediate) & valid_b;
        result &= (equal >> i) | ~(all >> i);
    }
    return result;
}

}  // namespace

unsigned implicit_length(__m128i operand, u8 immediate) {
    const u32 zeros = equal_bits(operand, _mm_setzero_si128(), immediate);
    return std::min<unsigned>(static_cast<unsigned>(std::countr_zero(zeros)),
                              element_count(immediate));
}

unsigned explicit_length(i64 value, u8 immediate) {
    const u64 magnitude = value < 0 ? u64{0} - static_cast<u64>(value) : static_cast<u64>(value);
    return static_cast<unsigned>(std::min<u64>(magnitude, element_count(immediate)));
}

StringComparison compare_strings(__m128i a, unsigned length_a, __m128i b, unsigned length_b,
                                 u8 immediate) {
    const unsigned count = element_count(immediate);
    const u32 valid_a = low_bits(length_a), valid_b = low_bits(length_b), all = low_bits(count);
    u32 result = 0;
    switch (aggregation(immediate)) {
        case Aggregation::kEqualAny:
            result = equal_any(a, length_a, b, immediate) & valid_b;
            break;
        case Aggregation::kRanges:
            result = in_ranges(a, length_a, b, immediate) & valid_b;
            break;
        case Aggregation::kEqualEach:
            result = equal_each(a, valid_a, b, valid_b, immediate);
            break;
        case Aggregation::kEqualOrdered:
            result = equal_ordered(a, length_a, b, valid_b, immediate);
            break;
    }
    if (negative(immediate))
        result ^= masked(immediate) ? valid_b : all;
    result &= all;

    u16 flags = ArithmeticFlags::kFixed;
    if (result != 0)
        flags |= ArithmeticFlags::kCF;
    if (length_b < count)
        flags |= ArithmeticFlags::kZF;
    if (length_a < count)
        flags |= ArithmeticFlags::kSF;
    if ((result & 1) != 0)
        flags |= ArithmeticFlags::kOF;
    return {result, count, {flags}};
}

u32 index_result(const StringComparison& comparison, u8 immediate) {
    if (comparison.result == 0)
        return comparison.count;
    return static_cast<u32>(wide_output(immediate) ? std::bit_width(comparison.result) - 1
                                                   : std::countr_zero(comparison.result));
}

__m128i mask_result(const StringComparison& comparison, u8 immediate) {
    const __m128i bits = _mm_cvtsi32_si128(static_cast<i32>(comparison.result));
    if (!wide_output(immediate))
        return bits;
    if (words(immediate)) {
        const __m128i own = _mm_set_epi16(128, 64, 32, 16, 8, 4, 2, 1);
        const __m128i copies = _mm_shuffle_epi8(bits, _mm_set1_epi16(0x0100));
        return _mm_cmpeq_epi16(_mm_and_si128(copies, own), own);
    }
    const __m128i own = _mm_set1_epi64x(static_cast<i64>(0x8040201008040201));
    const __m128i copies =
        _mm_shuffle_epi8(bits, _mm_set_epi64x(0x0101010101010101, 0x0000000000000000));
    return _mm_cmpeq_epi8(_mm_and_si128(copies, own), own);
}

}  // namespace sse

namespace handler {

using namespace sse;

namespace {

template <Lengths lengths, Answer answer>
void compare_register(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    answer_for<lengths, answer>(cpu, op, xmm(cpu, op->rm));
    return next(cpu, op);
}
template <Lengths lengths, Answer answer>
void compare_memory(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<Width::kUnaligned>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    answer_for<lengths, answer>(cpu, op, source.value);
    return next(cpu, op);
}
template <Lengths lengths, Answer answer>
constexpr HandlerSet string_form = by_form(compare_register<lengths, answer>,
                                           compare_memory<lengths, answer>);

}  // namespace

const HandlerSet PCMPESTRM_Vdq_Wdq_Ib = string_form<Lengths::kExplicit, Answer::kMask>;
const HandlerSet PCMPESTRI_Vdq_Wdq_Ib = string_form<Lengths::kExplicit, Answer::kIndex>;
const HandlerSet PCMPISTRM_Vdq_Wdq_Ib = string_form<Lengths::kImplicit, Answer::kMask>;
const HandlerSet PCMPISTRI_Vdq_Wdq_Ib = string_form<Lengths::kImplicit, Answer::kIndex>;

}  // namespace handler
}  // namespace uchronia::cpu::interp
