// VMASKMOVPS and VMASKMOVPD: only elements whose mask element has its sign set are touched, and
// only these can fault. All of them are checked before the first is written.
#include "cpu/interp/avx_float/forms.h"

namespace uchronia::cpu::interp::handler {

using namespace avx_float;

namespace {

// One bit for each element, from the signs of VEX.vvvv.
template <class T, unsigned lane_count>
u32 selected(VCPU& cpu, const Op* op) {
    u32 mask = 0;
    for (unsigned i = 0; i < 16 * lane_count / sizeof(T); ++i) {
        const T element = wide_element<T>(cpu, vex_vvvv(op), i);
        mask |= static_cast<u32>(element >> (8 * sizeof(T) - 1)) << i;
    }
    return mask;
}

template <class T, unsigned lane_count>
bool load_selected(VCPU& cpu, const Op* op) {
    const u64 address = linear_address(cpu, op);
    VectorRegister result;
    for (u32 rest = selected<T, lane_count>(cpu, op); rest != 0; rest &= rest - 1) {
        const u32 i = static_cast<u32>(__builtin_ctz(rest));
        T value;
        if (!read_memory(cpu, op, address + i * sizeof(T), value))
            return false;
        std::memcpy(reinterpret_cast<u8*>(&result) + i * sizeof(T), &value, sizeof(T));
    }
    cpu.state.vectors[op->reg] = result;
    return true;
}

template <class T, unsigned lane_count>
bool store_selected(VCPU& cpu, const Op* op) {
    const u64 address = linear_address(cpu, op);
    const u32 mask = selected<T, lane_count>(cpu, op);
    for (u32 rest = mask; rest != 0; rest &= rest - 1) {
        const u32 i = static_cast<u32>(__builtin_ctz(rest));
        if (!check_writable(cpu, op, address + i * sizeof(T), sizeof(T)))
            return false;
    }
    for (u32 rest = mask; rest != 0; rest &= rest - 1) {
        const u32 i = static_cast<u32>(__builtin_ctz(rest));
        if (!write_memory(cpu, op, address + i * sizeof(T), wide_element<T>(cpu, op->reg, i)))
            return false;
    }
    return true;
}

template <auto F>
constexpr HandlerSet masked_form = always([](VCPU& cpu, const Op* op) {
    if (!avx_available(cpu, op) || !F(cpu, op)) [[unlikely]]
        return;
    return next(cpu, op);
});
template <class T>
constexpr auto masked_load = []<unsigned n>(Lanes<n>) { return masked_form<load_selected<T, n>>; };
template <class T>
constexpr auto masked_store =
    []<unsigned n>(Lanes<n>) { return masked_form<store_selected<T, n>>; };

}  // namespace

BOTH_LENGTHS(VMASKMOVPS_Vx_Hx_Mx, masked_load<u32>);
BOTH_LENGTHS(VMASKMOVPD_Vx_Hx_Mx, masked_load<u64>);
BOTH_LENGTHS(VMASKMOVPS_Mx_Hx_Vx, masked_store<u32>);
BOTH_LENGTHS(VMASKMOVPD_Mx_Hx_Vx, masked_store<u64>);

}  // namespace uchronia::cpu::interp::handler
