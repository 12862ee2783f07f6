// What all vector instructions do with their operands: availability checks, registers, memory.
//
// Invariants: an instruction changes nothing before its last possible fault; 16-byte operands of
// legacy SSE instructions are aligned unless the form says otherwise; legacy SSE leaves bits 128
// and up of a vector register alone. An MMX instruction that completes sets TOP to 0 and all x87
// registers valid, and the exponent of a written one to all ones.
//
// Source: APM vol. 1, 4.2 and 5.4; vol. 2, 11.3 and table 7-1; vol. 5, 1 (x87 and MMX state).
#pragma once

#include <emmintrin.h>

#include "cpu/access.h"
#include "cpu/interp/handlers.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp::sse {

// Size and alignment of a memory source.
enum class Width : u8 { kByte, kWord, kDword, kQword, kAligned, kUnaligned };

// A memory source, zero-extended to 128 bits. `ok` is false if the exit is already recorded.
struct Loaded {
    __m128i value;
    bool ok;
};

inline constexpr u16 kX87ErrorSummary = 1u << 7;
inline constexpr u16 kX87Top = 7u << 11;
inline constexpr u16 kMMXExponent = 0xffff;

// Raise #UD, #NM or #MF, whichever the control registers ask for. Always false.
bool refuse_sse(VCPU& cpu, const Op* op);
bool refuse_mmx(VCPU& cpu, const Op* op);

// Whether the operating system lets SSE instructions run: EM and TS clear, OSFXSR set.
inline bool sse_ready(VCPU& cpu, const Op* op) {
    const u64 bits = (cpu.state.cr0 & (cr0::kEM | cr0::kTS)) | (cpu.state.cr4 & cr4::kOSFXSR);
    return bits == cr4::kOSFXSR ? true : refuse_sse(cpu, op);
}
inline bool mmx_ready(VCPU& cpu, const Op* op) {
    const u64 bits = (cpu.state.cr0 & (cr0::kEM | cr0::kTS)) |
                     static_cast<u64>(cpu.state.x87.status & kX87ErrorSummary);
    return bits == 0 ? true : refuse_mmx(cpu, op);
}

inline __m128i* xmm_pointer(VCPU& cpu, u8 number) {
    return reinterpret_cast<__m128i*>(cpu.state.vectors[number].q.data());
}
inline __m128i xmm(VCPU& cpu, u8 number) {
    return _mm_load_si128(xmm_pointer(cpu, number));
}
inline void set_xmm(VCPU& cpu, u8 number, __m128i value) {
    _mm_store_si128(xmm_pointer(cpu, number), value);
}
// One element of an XMM register, for T = u8 to u64.
template <class T>
inline T& xmm_element(VCPU& cpu, u8 number, unsigned index) {
    return reinterpret_cast<T*>(cpu.state.vectors[number].q.data())[index];
}

// MMX registers do not know REX.
inline u64 mmx(VCPU& cpu, u8 number) {
    return cpu.state.x87.registers[number & 7u].mantissa;
}
inline __m128i mmx_vector(VCPU& cpu, u8 number) {
    return _mm_cvtsi64_si128(static_cast<i64>(mmx(cpu, number)));
}
// The change from x87 to MMX: to be done by each MMX instruction that completes.
inline void enter_mmx(VCPU& cpu) {
    cpu.state.x87.status &= static_cast<u16>(~kX87Top);
    cpu.state.x87.empty = 0;
}
inline void set_mmx(VCPU& cpu, u8 number, u64 value) {
    enter_mmx(cpu);
    cpu.state.x87.registers[number & 7u] = {value, kMMXExponent};
}
inline u64 low_half(__m128i value) {
    return static_cast<u64>(_mm_cvtsi128_si64(value));
}
inline void set_mmx(VCPU& cpu, u8 number, __m128i value) {
    set_mmx(cpu, number, low_half(value));
}

[[gnu::always_inline]] inline bool aligned(VCPU& cpu, const Op* op, u64 address) {
    if ((address & 15) == 0) [[likely]]
        return true;
    cpu.raise(op, Vector::kGP);
    return false;
}

[[gnu::always_inline]] inline Loaded load_16(VCPU& cpu, const Op* op, u64 address) {
    const TableEntry& entry = table_entry(cpu, address);
    if (entry.read != 0 && fits_in_page(address, 16) && is_canonical(address)) [[likely]]
        return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(address + entry.read)), true};
    const bool ok = cpu.mmu.read_bytes_slow(cpu, op, address, &cpu.scratch, 16);
    return {_mm_load_si128(reinterpret_cast<const __m128i*>(&cpu.scratch)), ok};
}

template <class T>
[[gnu::always_inline]] inline Loaded load_element(VCPU& cpu, const Op* op, u64 address) {
    T value;
    const bool ok = read_memory(cpu, op, address, value);
    return {_mm_cvtsi64_si128(static_cast<i64>(value)), ok};
}

// The memory operand of `op`.
template <Width width>
[[gnu::always_inline]] inline Loaded load(VCPU& cpu, const Op* op) {
    const u64 address = linear_address(cpu, op);
    if constexpr (width == Width::kByte) {
        return load_element<u8>(cpu, op, address);
    } else if constexpr (width == Width::kWord) {
        return load_element<u16>(cpu, op, address);
    } else if constexpr (width == Width::kDword) {
        return load_element<u32>(cpu, op, address);
    } else if constexpr (width == Width::kQword) {
        return load_element<u64>(cpu, op, address);
    } else {
        if (width == Width::kAligned && !aligned(cpu, op, address)) [[unlikely]]
            return {_mm_setzero_si128(), false};
        return load_16(cpu, op, address);
    }
}

template <Width width>
[[gnu::always_inline]] inline bool store(VCPU& cpu, const Op* op, __m128i value) {
    const u64 address = linear_address(cpu, op, Access::kWrite);
    if constexpr (width == Width::kByte) {
        return write_memory(cpu, op, address, static_cast<u8>(low_half(value)));
    } else if constexpr (width == Width::kWord) {
        return write_memory(cpu, op, address, static_cast<u16>(low_half(value)));
    } else if constexpr (width == Width::kDword) {
        return write_memory(cpu, op, address, static_cast<u32>(low_half(value)));
    } else if constexpr (width == Width::kQword) {
        return write_memory(cpu, op, address, low_half(value));
    } else {
        if (width == Width::kAligned && !aligned(cpu, op, address)) [[unlikely]]
            return false;
        const TableEntry& entry = table_entry(cpu, address);
        if (entry.write != 0 && fits_in_page(address, 16) && is_canonical(address)) [[likely]] {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(address + entry.write), value);
            return true;
        }
        _mm_store_si128(reinterpret_cast<__m128i*>(&cpu.scratch), value);
        return cpu.mmu.write_bytes_slow(cpu, op, address, &cpu.scratch, 16);
    }
}

// Handlers of a row whose general register or memory operand is 32 or 64 bits (Ey, Gy).
constexpr HandlerSet by_width(Handler reg32, Handler reg64, Handler mem32, Handler mem64) {
    return {reg32, reg32, reg64, mem32, mem32, mem64};
}

}  // namespace uchronia::cpu::interp::sse
