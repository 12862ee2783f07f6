// rCX, rSI and rDI of repeated and string instructions, at the address size.
#pragma once

#include "cpu/op.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

inline u64 string_mask(const Op* op) {
    if ((op->flags & op_flag::kAddress32) != 0)
        return ~u32{0};
    return (op->flags & op_flag::kLegacy) != 0 ? 0xffff : ~u64{0};
}

// A 16-bit result leaves the rest of the register; a 32-bit one clears it.
inline void set_string_register(VCPU& cpu, Register index, u64 value, u64 mask) {
    u64& whole = cpu.state.gpr[index];
    whole = mask == 0xffff ? (whole & ~mask) | (value & mask) : value & mask;
}

}  // namespace uchronia::cpu::interp
