// Memory operands of x87 arithmetic and comparisons: how each format is read (bits) and unpacked.
#pragma once

#include "cpu/access.h"
#include "cpu/interp/x87/number.h"

namespace uchronia::cpu::interp::x87 {

struct Single {
    using Bits = u32;
    static Number unpack(Bits bits) { return unpack_single(bits); }
};
struct Double {
    using Bits = u64;
    static Number unpack(Bits bits) { return unpack_double(bits); }
};
template <class Signed, class Unsigned>
struct Integer {
    using Bits = Unsigned;
    static Number unpack(Bits bits) { return unpack_integer(static_cast<Signed>(bits)); }
};
using Integer16 = Integer<i16, u16>;
using Integer32 = Integer<i32, u32>;
using Integer64 = Integer<i64, u64>;

// Reads the operand; false: the exit is recorded.
template <class Format>
bool read_operand(VCPU& cpu, const Op* op, Number& number) {
    typename Format::Bits bits;
    if (!read_memory(cpu, op, linear_address(cpu, op), bits))
        return false;
    number = Format::unpack(bits);
    return true;
}

}  // namespace uchronia::cpu::interp::x87
