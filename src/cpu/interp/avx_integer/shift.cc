// Packed shifts: by one count for all elements, by an immediate, by a count for each element.
// Counts above the element width give zero, or all signs.
#include <smmintrin.h>

#include "cpu/interp/avx_integer/forms.h"
#include "cpu/interp/sse/shift_operations.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_integer;

using sse::by_immediate;

namespace {

template <class T>
struct ShiftLeft {
    T operator()(T value, T count) const {
        return count < 8 * sizeof(T) ? static_cast<T>(value << count) : T{0};
    }
};
template <class T>
struct ShiftRight {
    T operator()(T value, T count) const {
        return count < 8 * sizeof(T) ? static_cast<T>(value >> count) : T{0};
    }
};
struct ShiftRightSigned {
    u32 operator()(u32 value, u32 count) const {
        return static_cast<u32>(static_cast<i32>(value) >> (count < 32 ? count : 31));
    }
};

template <int index>
[[gnu::always_inline]] inline u32 dword(__m128i value) {
    return static_cast<u32>(_mm_extract_epi32(value, index));
}
template <int index>
[[gnu::always_inline]] inline u64 qword(__m128i value) {
    return static_cast<u64>(_mm_extract_epi64(value, index));
}

// F on each element and its count.
template <auto F>
constexpr auto each_dword = [](__m128i a, __m128i b) {
    return _mm_set_epi32(static_cast<i32>(F(dword<3>(a), dword<3>(b))),
                         static_cast<i32>(F(dword<2>(a), dword<2>(b))),
                         static_cast<i32>(F(dword<1>(a), dword<1>(b))),
                         static_cast<i32>(F(dword<0>(a), dword<0>(b))));
};
template <auto F>
constexpr auto each_qword = [](__m128i a, __m128i b) {
    return _mm_set_epi64x(static_cast<i64>(F(qword<1>(a), qword<1>(b))),
                          static_cast<i64>(F(qword<0>(a), qword<0>(b))));
};

}  // namespace

const HandlerSet VPSRLW_Vx_Hx_Wdq_128 = counted<_mm_srl_epi16, k128>();
const HandlerSet VPSRLW_Vx_Hx_Wdq_256 = counted<_mm_srl_epi16, k256>();
const HandlerSet VPSRLD_Vx_Hx_Wdq_128 = counted<_mm_srl_epi32, k128>();
const HandlerSet VPSRLD_Vx_Hx_Wdq_256 = counted<_mm_srl_epi32, k256>();
const HandlerSet VPSRLQ_Vx_Hx_Wdq_128 = counted<_mm_srl_epi64, k128>();
const HandlerSet VPSRLQ_Vx_Hx_Wdq_256 = counted<_mm_srl_epi64, k256>();
const HandlerSet VPSRAW_Vx_Hx_Wdq_128 = counted<_mm_sra_epi16, k128>();
const HandlerSet VPSRAW_Vx_Hx_Wdq_256 = counted<_mm_sra_epi16, k256>();
const HandlerSet VPSRAD_Vx_Hx_Wdq_128 = counted<_mm_sra_epi32, k128>();
const HandlerSet VPSRAD_Vx_Hx_Wdq_256 = counted<_mm_sra_epi32, k256>();
const HandlerSet VPSLLW_Vx_Hx_Wdq_128 = counted<_mm_sll_epi16, k128>();
const HandlerSet VPSLLW_Vx_Hx_Wdq_256 = counted<_mm_sll_epi16, k256>();
const HandlerSet VPSLLD_Vx_Hx_Wdq_128 = counted<_mm_sll_epi32, k128>();
const HandlerSet VPSLLD_Vx_Hx_Wdq_256 = counted<_mm_sll_epi32, k256>();
const HandlerSet VPSLLQ_Vx_Hx_Wdq_128 = counted<_mm_sll_epi64, k128>();
const HandlerSet VPSLLQ_Vx_Hx_Wdq_256 = counted<_mm_sll_epi64, k256>();

const HandlerSet VPSRLW_Hx_Ux_Ib_128 = hx_ux_ib<by_immediate<_mm_srl_epi16>, k128>();
const HandlerSet VPSRLW_Hx_Ux_Ib_256 = hx_ux_ib<by_immediate<_mm_srl_epi16>, k256>();
const HandlerSet VPSRLD_Hx_Ux_Ib_128 = hx_ux_ib<by_immediate<_mm_srl_epi32>, k128>();
const HandlerSet VPSRLD_Hx_Ux_Ib_256 = hx_ux_ib<by_immediate<_mm_srl_epi32>, k256>();
const HandlerSet VPSRLQ_Hx_Ux_Ib_128 = hx_ux_ib<by_immediate<_mm_srl_epi64>, k128>();
const HandlerSet VPSRLQ_Hx_Ux_Ib_256 = hx_ux_ib<by_immediate<_mm_srl_epi64>, k256>();
const HandlerSet VPSRAW_Hx_Ux_Ib_128 = hx_ux_ib<by_immediate<_mm_sra_epi16>, k128>();
const HandlerSet VPSRAW_Hx_Ux_Ib_256 = hx_ux_ib<by_immediate<_mm_sra_epi16>, k256>();
const HandlerSet VPSRAD_Hx_Ux_Ib_128 = hx_ux_ib<by_immediate<_mm_sra_epi32>, k128>();
const HandlerSet VPSRAD_Hx_Ux_Ib_256 = hx_ux_ib<by_immediate<_mm_sra_epi32>, k256>();
const HandlerSet VPSLLW_Hx_Ux_Ib_128 = hx_ux_ib<by_immediate<_mm_sll_epi16>, k128>();
const HandlerSet VPSLLW_Hx_Ux_Ib_256 = hx_ux_ib<by_immediate<_mm_sll_epi16>, k256>();
const HandlerSet VPSLLD_Hx_Ux_Ib_128 = hx_ux_ib<by_immediate<_mm_sll_epi32>, k128>();
const HandlerSet VPSLLD_Hx_Ux_Ib_256 = hx_ux_ib<by_immediate<_mm_sll_epi32>, k256>();
const HandlerSet VPSLLQ_Hx_Ux_Ib_128 = hx_ux_ib<by_immediate<_mm_sll_epi64>, k128>();
const HandlerSet VPSLLQ_Hx_Ux_Ib_256 = hx_ux_ib<by_immediate<_mm_sll_epi64>, k256>();
const HandlerSet VPSRLDQ_Hx_Ux_Ib_128 = hx_ux_ib<sse::right_bytes, k128>();
const HandlerSet VPSRLDQ_Hx_Ux_Ib_256 = hx_ux_ib<sse::right_bytes, k256>();
const HandlerSet VPSLLDQ_Hx_Ux_Ib_128 = hx_ux_ib<sse::left_bytes, k128>();
const HandlerSet VPSLLDQ_Hx_Ux_Ib_256 = hx_ux_ib<sse::left_bytes, k256>();

const HandlerSet VPSLLVD_Vx_Hx_Wx_128 = lanes<each_dword<ShiftLeft<u32>{}>, k128>();
const HandlerSet VPSLLVD_Vx_Hx_Wx_256 = lanes<each_dword<ShiftLeft<u32>{}>, k256>();
const HandlerSet VPSLLVQ_Vx_Hx_Wx_128 = lanes<each_qword<ShiftLeft<u64>{}>, k128>();
const HandlerSet VPSLLVQ_Vx_Hx_Wx_256 = lanes<each_qword<ShiftLeft<u64>{}>, k256>();
const HandlerSet VPSRLVD_Vx_Hx_Wx_128 = lanes<each_dword<ShiftRight<u32>{}>, k128>();
const HandlerSet VPSRLVD_Vx_Hx_Wx_256 = lanes<each_dword<ShiftRight<u32>{}>, k256>();
const HandlerSet VPSRLVQ_Vx_Hx_Wx_128 = lanes<each_qword<ShiftRight<u64>{}>, k128>();
const HandlerSet VPSRLVQ_Vx_Hx_Wx_256 = lanes<each_qword<ShiftRight<u64>{}>, k256>();
const HandlerSet VPSRAVD_Vx_Hx_Wx_128 = lanes<each_dword<ShiftRightSigned{}>, k128>();
const HandlerSet VPSRAVD_Vx_Hx_Wx_256 = lanes<each_dword<ShiftRightSigned{}>, k256>();

}  // namespace uchronia::cpu::interp::handler
