#include "cpu/interp/sse/approximate.h"

#include <array>

#include "cpu/interp/sse/forms.h"

namespace uchronia::cpu::interp {

namespace sse {
namespace {

constexpr unsigned kTableBits = 11, kFractionBits = 14, kSingleFractionBits = 23;
constexpr u32 kSign = 0x80000000, kInfinity = 0x7f800000, kQuiet = 0x00400000;
constexpr u32 kDefaultNaN = 0xffc00000;
constexpr u32 kFraction = (1u << kSingleFractionBits) - 1;
constexpr u32 kBias = 127;

using Table = std::array<u16, 1u << kTableBits>;

// Fraction of 2/m, where m = 1 + (i + 1/2) / 2^11: 2/m is in (1, 2).
constexpr Table kReciprocal = [] {
    Table table{};
    for (u64 i = 0; i < table.size(); ++i) {
        const u64 twice_m = (u64{2} << kTableBits) + 2 * i + 1;  // in units of 2^-12
        const u64 scaled = u64{2} << (kTableBits + 1 + kFractionBits);
        const u64 rounded = (scaled + twice_m / 2) / twice_m;
        table[i] = static_cast<u16>(rounded - (1u << kFractionBits));
    }
    return table;
}();

constexpr u64 integer_square_root(u64 value) {
    u64 root = 0;
    for (u64 bit = u64{1} << 31; bit != 0; bit >>= 1) {
        if ((root + bit) * (root + bit) <= value)
            root += bit;
    }
    return root;
}

// Fraction of 2/sqrt(s), where s = 2^p (1 + (j + 1/2) / 2^10), i = 2^10 p + j: again in (1, 2).
constexpr Table kReciprocalSquareRoot = [] {
    Table table{};
    for (u64 i = 0; i < table.size(); ++i) {
        const u64 p = i >> (kTableBits - 1), j = i & ((1u << (kTableBits - 1)) - 1);
        const u64 s = ((u64{1} << kTableBits) + 2 * j + 1) << p;  // in units of 2^-11
        // (2^15 * 2 / sqrt(s))^2, that is with one bit more than is kept, for rounding.
        const u64 square = (u64{1} << (2 * (kFractionBits + 1) + 2 + kTableBits)) / s;
        const u64 rounded = (integer_square_root(square) + 1) / 2;
        table[i] = static_cast<u16>(rounded - (1u << kFractionBits));
    }
    return table;
}();

constexpr u32 from_table(const Table& table, u32 index) {
    return u32{table[index]} << (kSingleFractionBits - kFractionBits);
}

}  // namespace

u32 approximate_reciprocal(u32 value) {
    const u32 sign = value & kSign, magnitude = value & ~kSign;
    if (magnitude > kInfinity)
        return value | kQuiet;
    const u32 exponent = magnitude >> kSingleFractionBits;
    if (exponent == 0)
        return sign | kInfinity;  // zero, and denormals count as zero
    // 1 / (2^e m) = 2^(-e-1) (2/m). Tiny results become zero.
    if (exponent >= 2 * kBias - 1)
        return sign;
    const u32 index = (value & kFraction) >> (kSingleFractionBits - kTableBits);
    const u32 result_exponent = 2 * kBias - 1 - exponent;
    return sign | (result_exponent << kSingleFractionBits) | from_table(kReciprocal, index);
}

u32 approximate_reciprocal_square_root(u32 value) {
    const u32 magnitude = value & ~kSign;
    if (magnitude > kInfinity)
        return value | kQuiet;
    const u32 exponent = magnitude >> kSingleFractionBits;
    if (exponent == 0)
        return (value & kSign) | kInfinity;
    if ((value & kSign) != 0)
        return kDefaultNaN;
    if (magnitude == kInfinity)
        return 0;
    // e = 2k + p: 1 / sqrt(2^e m) = 2^(-k-1) (2 / sqrt(2^p m)). The bias is odd.
    const u32 p = (exponent & 1) ^ 1;
    const u32 result_exponent = (3 * kBias - 2 - (exponent - p)) / 2;
    const u32 index =
        (p << (kTableBits - 1)) | ((value & kFraction) >> (kSingleFractionBits - (kTableBits - 1)));
    return (result_exponent << kSingleFractionBits) | from_table(kReciprocalSquareRoot, index);
}

namespace {

template <auto F>
constexpr auto scalar = [](__m128i a, __m128i b) {
    const u32 result = F(static_cast<u32>(low_half(b)));
    const __m128 low = _mm_castsi128_ps(_mm_cvtsi32_si128(static_cast<i32>(result)));
    return _mm_castps_si128(_mm_move_ss(_mm_castsi128_ps(a), low));
};
template <auto F>
constexpr auto packed = [](__m128i, __m128i b) {
    const u64 low = low_half(b), high = low_half(_mm_unpackhi_epi64(b, b));
    const u64 low_result = F(static_cast<u32>(low)) | u64{F(static_cast<u32>(low >> 32))} << 32;
    const u64 high_result = F(static_cast<u32>(high)) | u64{F(static_cast<u32>(high >> 32))} << 32;
    return _mm_set_epi64x(static_cast<i64>(high_result), static_cast<i64>(low_result));
};

}  // namespace
}  // namespace sse

namespace handler {

using namespace sse;

const HandlerSet RCPPS_Vps_Wps = vx_wx<packed<approximate_reciprocal>>();
const HandlerSet RCPSS_Vss_Wss = vx_wx<scalar<approximate_reciprocal>, Width::kDword>();
const HandlerSet RSQRTPS_Vps_Wps = vx_wx<packed<approximate_reciprocal_square_root>>();
const HandlerSet RSQRTSS_Vss_Wss =
    vx_wx<scalar<approximate_reciprocal_square_root>, Width::kDword>();

}  // namespace handler
}  // namespace uchronia::cpu::interp
