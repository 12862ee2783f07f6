// LDS to LSS: a far pointer from memory to a segment register and a general register.
// LDS and LES exist outside 64-bit mode only.
//
// The segment is loaded with the checks of MOV to it; but LSS, which loads RSP too, does not hold
// interrupts off. With REX.W the offset has 32 bits, as far_pointer.h says, and is zero-extended.
// Source: APM vol. 3, LDS to LSS.

#include "cpu/interp/handlers.h"
#include "cpu/interp/system/far_pointer.h"
#include "cpu/interp/system/privilege.h"
#include "cpu/interp/system/segments.h"

namespace uchronia::cpu::interp {

namespace {

template <SegmentRegister S, class T>
void load_far_pointer(VCPU& cpu, const Op* op) {
    FarPointer pointer;
    if (!read_far_pointer(cpu, op, pointer) || !load_segment(cpu, op, S, pointer.selector))
        return;
    set_register<T>(cpu, op->reg, static_cast<T>(pointer.offset));
    finish(cpu, op);
}

// There is no register form.
template <SegmentRegister S>
constexpr HandlerSet far_load_rows() {
    constexpr Handler word = load_far_pointer<S, u16>, doubleword = load_far_pointer<S, u32>;
    return {word, doubleword, doubleword, word, doubleword, doubleword};
}

}  // namespace

namespace handler {
const HandlerSet LES_Gv_Mp = far_load_rows<kES>();
const HandlerSet LDS_Gv_Mp = far_load_rows<kDS>();
const HandlerSet LSS_Gv_Mp = far_load_rows<kSS>();
const HandlerSet LFS_Gv_Mp = far_load_rows<kFS>();
const HandlerSet LGS_Gv_Mp = far_load_rows<kGS>();
}  // namespace handler

}  // namespace uchronia::cpu::interp
