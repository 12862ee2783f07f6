// How masked moves and gathers reach single elements: only those whose mask element has its sign
// set, and without alignment checks, even with RFLAGS.AC.
//
// Source: Intel's manual, vol. 2, 2.4.6 (masked moves: no #AC for any mask); AMD processors do the
// same, and do not check the elements of gathers either.
#pragma once

#include <cstring>

#include "cpu/interp/vex_operand.h"

namespace uchronia::cpu::interp::avx_integer {

using namespace vex;

template <class T>
[[gnu::always_inline]] inline bool selected(VCPU& cpu, u8 mask, unsigned index) {
    return (sse::xmm_element<T>(cpu, mask, index) >> (8 * sizeof(T) - 1)) != 0;
}

// What is misaligned goes byte by byte, so that nothing asks for its alignment.
template <class T>
constexpr bool is_aligned(u64 address) {
    return address % sizeof(T) == 0;
}
template <class T>
bool read_element(VCPU& cpu, const Op* op, u64 address, u8* data) {
    if (is_aligned<T>(address)) {
        T value;
        if (!read_memory(cpu, op, address, value))
            return false;
        std::memcpy(data, &value, sizeof(T));
        return true;
    }
    for (unsigned i = 0; i < sizeof(T); ++i) {
        if (!read_memory(cpu, op, address + i, data[i]))
            return false;
    }
    return true;
}
template <class T>
bool element_is_writable(VCPU& cpu, const Op* op, u64 address) {
    if (is_aligned<T>(address))
        return check_writable(cpu, op, address, sizeof(T));
    const u64 last_page = (address + sizeof(T) - 1) & ~kPageMask;
    return check_writable(cpu, op, address, 1) &&
           (fits_in_page(address, sizeof(T)) || check_writable(cpu, op, last_page, 1));
}
template <class T>
bool write_element(VCPU& cpu, const Op* op, u64 address, const u8* data) {
    if (is_aligned<T>(address)) {
        T value;
        std::memcpy(&value, data, sizeof(T));
        return write_memory(cpu, op, address, value);
    }
    for (unsigned i = 0; i < sizeof(T); ++i) {
        if (!write_memory(cpu, op, address + i, data[i]))
            return false;
    }
    return true;
}

}  // namespace uchronia::cpu::interp::avx_integer
