// Registers and memory operands of VEX-encoded integer instructions.
//
// Invariants: an instruction changes nothing before its last possible fault, but for gathers; no
// memory operand needs alignment; a 128-bit result clears the upper half of its register. Nothing
// here needs AVX of the host: a 256-bit value is two of 128 bits.
//
// Source: APM vol. 4, 1.2 (extended instruction encoding).
#pragma once

#include "cpu/interp/sse/operand.h"
#include "cpu/interp/vector_available.h"

namespace uchronia::cpu::interp::avx_integer {

enum class Length : u8 { k128, k256 };
using enum Length;

template <Length length>
inline constexpr unsigned kSize = length == k256 ? 32 : 16;

// The two lanes; the value of a 128-bit operation is in the low one.
struct YMM {
    __m128i low, high;
};

// `ok` is false if the exit is already recorded.
struct LoadedYMM {
    YMM value;
    bool ok;
};

template <Length length = k256>
[[gnu::always_inline]] inline YMM ymm(VCPU& cpu, u8 number) {
    const __m128i* lanes = sse::xmm_pointer(cpu, number);
    return {_mm_load_si128(lanes),
            length == k256 ? _mm_load_si128(lanes + 1) : _mm_setzero_si128()};
}

template <Length length = k256>
[[gnu::always_inline]] inline void set_ymm(VCPU& cpu, u8 number, YMM value) {
    __m128i* lanes = sse::xmm_pointer(cpu, number);
    _mm_store_si128(lanes, value.low);
    _mm_store_si128(lanes + 1, length == k256 ? value.high : _mm_setzero_si128());
}
[[gnu::always_inline]] inline void set_low_lane(VCPU& cpu, u8 number, __m128i value) {
    set_ymm<k128>(cpu, number, {value, value});
}

[[gnu::always_inline]] inline LoadedYMM load_32(VCPU& cpu, const Op* op, u64 address) {
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.read != 0 && fits_in_page(address, 32) && is_canonical(address)) [[likely]] {
        const auto* lanes = reinterpret_cast<const __m128i*>(address + entry.read);
        return {{_mm_loadu_si128(lanes), _mm_loadu_si128(lanes + 1)}, true};
    }
    const bool ok = cpu.mmu.read_bytes_slow(cpu, op, address, &cpu.scratch, 32);
    const auto* lanes = reinterpret_cast<const __m128i*>(&cpu.scratch);
    return {{_mm_load_si128(lanes), _mm_load_si128(lanes + 1)}, ok};
}

[[gnu::always_inline]] inline LoadedYMM extended(sse::Loaded source) {
    return {{source.value, _mm_setzero_si128()}, source.ok};
}

// The memory operand of `op`, zero-extended.
template <unsigned size>
[[gnu::always_inline]] inline LoadedYMM load(VCPU& cpu, const Op* op) {
    using sse::Width;
    if constexpr (size == 1)
        return extended(sse::load<Width::kByte>(cpu, op));
    else if constexpr (size == 2)
        return extended(sse::load<Width::kWord>(cpu, op));
    else if constexpr (size == 4)
        return extended(sse::load<Width::kDword>(cpu, op));
    else if constexpr (size == 8)
        return extended(sse::load<Width::kQword>(cpu, op));
    else if constexpr (size == 16)
        return extended(sse::load<Width::kUnaligned>(cpu, op));
    else
        return load_32(cpu, op, linear_address(cpu, op));
}

}  // namespace uchronia::cpu::interp::avx_integer
