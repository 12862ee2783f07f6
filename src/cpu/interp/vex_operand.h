// Registers and memory operands of vector instructions with VEX, as pairs of 128-bit lanes, which
// every AMD64 host can compute with.
//
// Invariants: an instruction changes nothing before its last possible fault (gathers excepted);
// memory operands may be misaligned unless the instruction says otherwise; a register that is
// written is written whole, with zeros above the result.
//
// Source: APM vol. 4, 1.2 (extended instruction encoding, zeroing of upper bits) and 1.3.1
// (alignment).
#pragma once

#include <bit>

#include "cpu/interp/sse/operand.h"
#include "cpu/interp/vector_available.h"

namespace uchronia::cpu::interp::vex {

// VEX.L.
enum class Length : u8 { k128, k256 };
using enum Length;

template <Length length>
inline constexpr unsigned kSize = length == k256 ? 32 : 16;

enum class Alignment : u8 { kNone, kNatural };

// The two lanes; the value of a 128-bit operation is in the low one.
struct YMM {
    __m128i low, high;
};

// A memory source, zero-extended. `ok` is false if the exit is already recorded.
struct LoadedYMM {
    YMM value;
    bool ok;
};

inline YMM lower_lane(__m128i value) {
    return {value, _mm_setzero_si128()};
}

template <Length length = k256>
[[gnu::always_inline]] inline YMM ymm(VCPU& cpu, u8 number) {
    const __m128i* lanes = sse::xmm_pointer(cpu, number);
    return {_mm_load_si128(lanes),
            length == k256 ? _mm_load_si128(lanes + 1) : _mm_setzero_si128()};
}

// Of a shorter length, the upper lane of `value` does not matter.
template <Length length = k256>
[[gnu::always_inline]] inline void set_ymm(VCPU& cpu, u8 number, YMM value) {
    __m128i* lanes = sse::xmm_pointer(cpu, number);
    _mm_store_si128(lanes, value.low);
    _mm_store_si128(lanes + 1, length == k256 ? value.high : _mm_setzero_si128());
}
[[gnu::always_inline]] inline void set_low_lane(VCPU& cpu, u8 number, __m128i value) {
    set_ymm<k128>(cpu, number, {value, value});
}

// A value as elements, for what is said best one by one.
template <class T>
struct Elements {
    static constexpr unsigned kCount = 32 / sizeof(T);
    T value[kCount];
};
template <class T>
[[gnu::always_inline]] inline Elements<T> elements_of(YMM value) {
    return std::bit_cast<Elements<T>>(value);
}
template <class T>
[[gnu::always_inline]] inline YMM ymm_of(const Elements<T>& elements) {
    return std::bit_cast<YMM>(elements);
}

// The low `size` bytes (4, 8, 16 or 32), zero-extended.
template <unsigned size>
[[gnu::always_inline]] inline YMM zero_extended(YMM value) {
    if constexpr (size == 32)
        return value;
    else if constexpr (size == 16)
        return lower_lane(value.low);
    else if constexpr (size == 8)
        return lower_lane(_mm_move_epi64(value.low));
    else
        return lower_lane(_mm_cvtsi32_si128(_mm_cvtsi128_si32(value.low)));
}

// How the 128-bit operations call a memory operand of `size` bytes, up to 16.
template <unsigned size, Alignment alignment>
consteval sse::Width width_of() {
    using enum sse::Width;
    switch (size) {
        case 1:
            return kByte;
        case 2:
            return kWord;
        case 4:
            return kDword;
        case 8:
            return kQword;
        default:
            return alignment == Alignment::kNone ? kUnaligned : kAligned;
    }
}

template <Alignment alignment>
[[gnu::always_inline]] inline bool aligned_32(VCPU& cpu, const Op* op, u64 address) {
    if (alignment == Alignment::kNone || (address & 31) == 0) [[likely]]
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

// The memory operand of `op`, of 1, 2, 4, 8, 16 or 32 bytes.
template <unsigned size, Alignment alignment = Alignment::kNone>
[[gnu::always_inline]] inline LoadedYMM load(VCPU& cpu, const Op* op) {
    if constexpr (size <= 16) {
        const sse::Loaded loaded = sse::load<width_of<size, alignment>()>(cpu, op);
        return {lower_lane(loaded.value), loaded.ok};
    } else {
        const u64 address = linear_address(cpu, op);
        if (!aligned_32<alignment>(cpu, op, address)) [[unlikely]]
            return {lower_lane(_mm_setzero_si128()), false};
        const TableEntry& entry = table_entry(cpu, address);
        const auto* lanes = reinterpret_cast<const __m128i*>(&cpu.scratch);
        bool ok = true;
        if (entry.read != 0 && fits_in_page(address, 32) && is_canonical(address)) [[likely]]
            lanes = reinterpret_cast<const __m128i*>(address + entry.read);
        else
            ok = cpu.mmu.read_bytes_slow(cpu, op, address, &cpu.scratch, 32);
        return {{_mm_loadu_si128(lanes), _mm_loadu_si128(lanes + 1)}, ok};
    }
}

// Stores the low `size` bytes.
template <unsigned size, Alignment alignment = Alignment::kNone>
[[gnu::always_inline]] inline bool store(VCPU& cpu, const Op* op, YMM value) {
    if constexpr (size <= 16) {
        return sse::store<width_of<size, alignment>()>(cpu, op, value.low);
    } else {
        const u64 address = linear_address(cpu, op, Access::kWrite);
        if (!aligned_32<alignment>(cpu, op, address)) [[unlikely]]
            return false;
        const TableEntry& entry = table_entry(cpu, address);
        auto* lanes = reinterpret_cast<__m128i*>(&cpu.scratch);
        const bool plain = entry.write != 0 && fits_in_page(address, 32) && is_canonical(address);
        if (plain) [[likely]]
            lanes = reinterpret_cast<__m128i*>(address + entry.write);
        _mm_storeu_si128(lanes, value.low);
        _mm_storeu_si128(lanes + 1, value.high);
        return plain || cpu.mmu.write_bytes_slow(cpu, op, address, &cpu.scratch, 32);
    }
}

}  // namespace uchronia::cpu::interp::vex
