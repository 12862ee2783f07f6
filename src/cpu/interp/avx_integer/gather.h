// Gathers: elements from addresses that a vector register of indices gives.
//
// They are the only vector instructions that can be interrupted in the middle: elements are loaded
// in order, each clears its element of the mask as it is done with, and a fault leaves things
// there, so that the instruction goes on when it is executed again. The decoder has seen to it that
// the three registers differ.
//
// Source: APM vol. 4, 1.3 (VSIB addressing), VPGATHERDD.
#pragma once

#include <algorithm>
#include <type_traits>

#include "cpu/interp/avx_integer/element_access.h"

namespace uchronia::cpu::interp::avx_integer {

// Op::index is the vector register; an index counts as a signed number.
template <class Index>
[[gnu::always_inline]] inline u64 gather_address(VCPU& cpu, const Op* op, unsigned element) {
    const auto index =
        static_cast<std::make_signed_t<Index>>(sse::xmm_element<Index>(cpu, op->index, element));
    const u64 offset = cpu.state.gpr[op->base] + (static_cast<u64>(i64{index}) << op->scale) +
                       static_cast<u64>(i64{op->displacement});
    return linear_address_at(cpu, op, offset);
}

template <class T, class Index, Length length>
void gather(VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op)) [[unlikely]]
        return;
    const u8 mask = vex_vvvv(op);
    constexpr unsigned kCount = kSize<length> / std::max(sizeof(T), sizeof(Index));
    for (unsigned i = 0; i < kCount; ++i) {
        auto* element = reinterpret_cast<u8*>(&cpu.scratch);
        if (selected<T>(cpu, mask, i)) {
            if (!read_element<T>(cpu, op, gather_address<Index>(cpu, op, i), element)) [[unlikely]]
                return;
            std::memcpy(&sse::xmm_element<T>(cpu, op->reg, i), element, sizeof(T));
        }
        sse::xmm_element<T>(cpu, mask, i) = 0;
    }
    for (unsigned i = kCount; i < sizeof(VectorRegister) / sizeof(T); ++i)
        sse::xmm_element<T>(cpu, op->reg, i) = 0;
    cpu.state.vectors[mask] = {};
    return next(cpu, op);
}

}  // namespace uchronia::cpu::interp::avx_integer
