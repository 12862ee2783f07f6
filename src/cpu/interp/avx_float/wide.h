// 256-bit operands as pairs of 128-bit lanes, which every AMD64 host can compute with.
//
// Invariants: an instruction changes nothing before its last possible fault (gathers excepted);
// memory operands may be misaligned unless the form says otherwise; a register that is written is
// written whole, with zeros above the result.
//
// Source: APM vol. 4, 1.2.4 (zeroing of upper bits) and 1.3.1 (alignment).
#pragma once

#include <bit>

#include "cpu/interp/sse/forms.h"
#include "cpu/interp/vector_available.h"

namespace uchronia::cpu::interp::avx_float {

struct Wide {
    __m128i low, high;
};

// A memory source, zero-extended. `ok` is false if the exit is already recorded.
struct LoadedWide {
    Wide value;
    bool ok;
};

enum class Alignment : u8 { kNone, kNatural };

// How many lanes an instruction computes: VEX.L.
template <unsigned count>
struct Lanes {};
inline constexpr Lanes<1> kOneLane;
inline constexpr Lanes<2> kTwoLanes;

inline Wide lower_lane(__m128i value) {
    return {value, _mm_setzero_si128()};
}

inline __m128i* lanes_of(VCPU& cpu, u8 number) {
    return reinterpret_cast<__m128i*>(cpu.state.vectors[number].q.data());
}
inline Wide wide(VCPU& cpu, u8 number) {
    const __m128i* lanes = lanes_of(cpu, number);
    return {_mm_load_si128(lanes), _mm_load_si128(lanes + 1)};
}
inline void set_wide(VCPU& cpu, u8 number, Wide value) {
    __m128i* lanes = lanes_of(cpu, number);
    _mm_store_si128(lanes, value.low);
    _mm_store_si128(lanes + 1, value.high);
}
// One element of a register, for T = u8 to u64.
template <class T>
inline T& wide_element(VCPU& cpu, u8 number, unsigned index) {
    return reinterpret_cast<T*>(cpu.state.vectors[number].q.data())[index];
}

// A value as elements, for what is said best one by one.
template <class T>
struct Elements {
    static constexpr unsigned kCount = 32 / sizeof(T);
    T value[kCount];
};
template <class T>
[[gnu::always_inline]] inline Elements<T> elements_of(Wide value) {
    return std::bit_cast<Elements<T>>(value);
}
template <class T>
[[gnu::always_inline]] inline Wide wide_of(const Elements<T>& elements) {
    return std::bit_cast<Wide>(elements);
}

// The low `size` bytes (4, 8, 16 or 32), zero-extended.
template <unsigned size>
[[gnu::always_inline]] inline Wide zero_extended(Wide value) {
    if constexpr (size == 32)
        return value;
    else if constexpr (size == 16)
        return lower_lane(value.low);
    else if constexpr (size == 8)
        return lower_lane(_mm_move_epi64(value.low));
    else
        return lower_lane(_mm_cvtsi32_si128(_mm_cvtsi128_si32(value.low)));
}

template <unsigned size, Alignment alignment>
[[gnu::always_inline]] inline bool well_aligned(VCPU& cpu, const Op* op, u64 address) {
    if (alignment == Alignment::kNone || (address & (size - 1)) == 0) [[likely]]
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

// The memory operand of `op`, of 4, 8, 16 or 32 bytes.
template <unsigned size, Alignment alignment = Alignment::kNone>
[[gnu::always_inline]] inline LoadedWide load_wide(VCPU& cpu, const Op* op) {
    if constexpr (size < 16) {
        const sse::Loaded loaded =
            sse::load < size == 4 ? sse::Width::kDword : sse::Width::kQword > (cpu, op);
        return {lower_lane(loaded.value), loaded.ok};
    } else {
        const u64 address = linear_address(cpu, op);
        if (!well_aligned<size, alignment>(cpu, op, address)) [[unlikely]]
            return {lower_lane(_mm_setzero_si128()), false};
        const TableEntry& entry = table_entry(cpu, address);
        const auto* lanes = reinterpret_cast<const __m128i*>(&cpu.scratch);
        bool ok = true;
        if (entry.read != 0 && fits_in_page(address, size) && is_canonical(address)) [[likely]]
            lanes = reinterpret_cast<const __m128i*>(address + entry.read);
        else
            ok = cpu.mmu.read_bytes_slow(cpu, op, address, &cpu.scratch, size);
        const __m128i low = _mm_loadu_si128(lanes);
        return {{low, size == 32 ? _mm_loadu_si128(lanes + 1) : _mm_setzero_si128()}, ok};
    }
}

// Stores the low `size` bytes.
template <unsigned size, Alignment alignment = Alignment::kNone>
[[gnu::always_inline]] inline bool store_wide(VCPU& cpu, const Op* op, Wide value) {
    if constexpr (size < 16) {
        return sse::store < size == 4 ? sse::Width::kDword
                                      : sse::Width::kQword > (cpu, op, value.low);
    } else {
        const u64 address = linear_address(cpu, op);
        if (!well_aligned<size, alignment>(cpu, op, address)) [[unlikely]]
            return false;
        const TableEntry& entry = table_entry(cpu, address);
        auto* lanes = reinterpret_cast<__m128i*>(&cpu.scratch);
        const bool plain = entry.write != 0 && fits_in_page(address, size) && is_canonical(address);
        if (plain) [[likely]]
            lanes = reinterpret_cast<__m128i*>(address + entry.write);
        _mm_storeu_si128(lanes, value.low);
        if (size == 32)
            _mm_storeu_si128(lanes + 1, value.high);
        return plain || cpu.mmu.write_bytes_slow(cpu, op, address, &cpu.scratch, size);
    }
}

}  // namespace uchronia::cpu::interp::avx_float
