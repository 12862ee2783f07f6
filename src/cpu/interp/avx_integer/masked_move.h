// Moves between memory and a register of the elements whose mask element has its sign set.
//
// Elements that are not selected are not touched in memory, and cause no fault. All selected ones
// are checked before the first is written. Alignment is never checked, even with RFLAGS.AC.
//
// Source: APM vol. 4, VPMASKMOVD, VMASKMOVPS.
#pragma once

#include <smmintrin.h>

#include "cpu/interp/avx_integer/element_access.h"

namespace uchronia::cpu::interp::avx_integer {

// All ones where the sign of an element of T is set.
template <class T>
[[gnu::always_inline]] inline __m128i sign_mask(__m128i value) {
    const __m128i signs = _mm_srai_epi32(value, 31);
    return sizeof(T) == 4 ? signs : _mm_shuffle_epi32(signs, 0xf5);
}

// Into cpu.scratch; false if the exit is already recorded.
template <class T, Length length>
[[gnu::noinline]] bool load_selected(VCPU& cpu, const Op* op, u64 address) {
    constexpr unsigned kStep = sizeof(T);
    cpu.scratch = {};
    auto* bytes = reinterpret_cast<u8*>(cpu.scratch.q.data());
    for (unsigned i = 0; i < kSize<length>; i += kStep) {
        if (selected<T>(cpu, vex_vvvv(op), i / kStep) &&
            !read_element<T>(cpu, op, address + i, bytes + i))
            return false;
    }
    return true;
}

template <class T, Length length>
[[gnu::noinline]] bool store_selected(VCPU& cpu, const Op* op, u64 address) {
    constexpr unsigned kStep = sizeof(T);
    const auto* bytes = reinterpret_cast<const u8*>(cpu.state.vectors[op->reg].q.data());
    for (unsigned i = 0; i < kSize<length>; i += kStep) {
        if (selected<T>(cpu, vex_vvvv(op), i / kStep) &&
            !element_is_writable<T>(cpu, op, address + i))
            return false;
    }
    for (unsigned i = 0; i < kSize<length>; i += kStep) {
        if (selected<T>(cpu, vex_vvvv(op), i / kStep) &&
            !write_element<T>(cpu, op, address + i, bytes + i))
            return false;
    }
    return true;
}

template <class T, Length length>
void masked_load(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const u64 address = linear_address(cpu, op);
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.read != 0 && fits_in_page(address, kSize<length>) && is_canonical(address))
        [[likely]] {
        const auto* lanes = reinterpret_cast<const __m128i*>(address + entry.read);
        const YMM mask = ymm<length>(cpu, vex_vvvv(op));
        YMM value{_mm_and_si128(sign_mask<T>(mask.low), _mm_loadu_si128(lanes)), {}};
        if constexpr (length == k256)
            value.high = _mm_and_si128(sign_mask<T>(mask.high), _mm_loadu_si128(lanes + 1));
        set_ymm<length>(cpu, op->reg, value);
        return next(cpu, op);
    }
    if (!load_selected<T, length>(cpu, op, address))
        return;
    const auto* lanes = reinterpret_cast<const __m128i*>(&cpu.scratch);
    set_ymm<length>(cpu, op->reg, {_mm_load_si128(lanes), _mm_load_si128(lanes + 1)});
    return next(cpu, op);
}

template <class T, Length length>
void masked_store(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    if (!store_selected<T, length>(cpu, op, linear_address(cpu, op, Access::kWrite)))
        return;
    return next(cpu, op);
}

}  // namespace uchronia::cpu::interp::avx_integer
