// Instruction forms: from a function on 128-bit values to the handlers of a row.
//
// F is a constant (intrinsic or captureless lambda) that is called as F(source),
// F(destination, source) or F(destination, source, immediate), whichever it accepts. It must be
// exact on every host; floating point goes through float_forms.h instead.
#pragma once

#include "cpu/interp/sse/operand.h"

namespace uchronia::cpu::interp::sse {

template <auto F>
[[gnu::always_inline]] inline __m128i apply(__m128i destination, __m128i source, const Op* op) {
    const u8 immediate = static_cast<u8>(op->immediate);
    if constexpr (requires { F(destination, source, immediate); })
        return F(destination, source, immediate);
    else if constexpr (requires { F(destination, source); })
        return F(destination, source);
    else
        return F(source);
}

template <auto F>
void xmm_register_form(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    set_xmm(cpu, op->reg, apply<F>(xmm(cpu, op->reg), xmm(cpu, op->rm), op));
    return next(cpu, op);
}

template <auto F, Width width>
void xmm_memory_form(VCPU& cpu, const Op* op) {
    if (!sse_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<width>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    set_xmm(cpu, op->reg, apply<F>(xmm(cpu, op->reg), source.value, op));
    return next(cpu, op);
}

template <auto F>
void mmx_register_form(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    set_mmx(cpu, op->reg, apply<F>(mmx_vector(cpu, op->reg), mmx_vector(cpu, op->rm), op));
    return next(cpu, op);
}

template <auto F, Width width>
void mmx_memory_form(VCPU& cpu, const Op* op) {
    if (!mmx_ready(cpu, op)) [[unlikely]]
        return;
    const Loaded source = load<width>(cpu, op);
    if (!source.ok) [[unlikely]]
        return;
    set_mmx(cpu, op->reg, apply<F>(mmx_vector(cpu, op->reg), source.value, op));
    return next(cpu, op);
}

// XMM destination, XMM or memory source. vx_wx: 16 aligned bytes.
template <auto F, Width width = Width::kAligned>
consteval HandlerSet vx_wx() {
    return by_form(xmm_register_form<F>, xmm_memory_form<F, width>);
}
// MMX destination, MMX or memory source. F sees the operands zero-extended to 128 bits, and the low
// half of its result counts.
template <auto F, Width width = Width::kQword>
consteval HandlerSet pq_qq() {
    return by_form(mmx_register_form<F>, mmx_memory_form<F, width>);
}
// Source and destination in ModRM.rm (shifts by an immediate).
template <auto F>
consteval HandlerSet ux_ib() {
    return always([](VCPU& cpu, const Op* op) {
        if (!sse_ready(cpu, op)) [[unlikely]]
            return;
        set_xmm(cpu, op->rm, F(xmm(cpu, op->rm), static_cast<u8>(op->immediate)));
        return next(cpu, op);
    });
}
template <auto F>
consteval HandlerSet nq_ib() {
    return always([](VCPU& cpu, const Op* op) {
        if (!mmx_ready(cpu, op)) [[unlikely]]
            return;
        set_mmx(cpu, op->rm, F(mmx_vector(cpu, op->rm), static_cast<u8>(op->immediate)));
        return next(cpu, op);
    });
}

// The source of a form that has no register destination of its own.
[[gnu::always_inline]] inline __m128i second(__m128i, __m128i source) {
    return source;
}
// The low half of `low` under the high half of `high`.
[[gnu::always_inline]] inline __m128i merge_halves(__m128i low, __m128i high) {
    return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(high), _mm_castsi128_pd(low)));
}

}  // namespace uchronia::cpu::interp::sse
