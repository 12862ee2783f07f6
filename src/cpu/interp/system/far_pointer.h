// A far pointer in memory: the operand of CALLF, JMPF, LDS, LES, LSS, LFS and LGS.
//
// It has a 16- or 32-bit offset, as on all AMD processors: REX.W does not widen it. (Intel's read
// 64 bits with REX.W.)
// Source: APM vol. 3, the pages of the five.
#pragma once

#include <cstring>

#include "cpu/access.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {

struct FarPointer {
    u64 offset = 0;
    u16 selector = 0;
};

// False with the fault recorded.
inline bool read_far_pointer(VCPU& cpu, const Op* op, FarPointer& pointer) {
    const u32 offset_bytes = (op->flags & op_flag::kOperand16) != 0 ? 2 : 4;
    u8 bytes[6];
    if (!read_bytes(cpu, op, linear_address(cpu, op, Access::kRead, offset_bytes + 2), bytes,
                    offset_bytes + 2))
        return false;
    std::memcpy(&pointer.offset, bytes, offset_bytes);
    std::memcpy(&pointer.selector, bytes + offset_bytes, 2);
    return true;
}

}  // namespace uchronia::cpu::interp
