// The interpreter's function for each row of the instruction table.
//
// For each row NAME there is one `const HandlerSet NAME`, defined by the family's .cc file in
// interp/<family>/. A missing one is a link error. Some have another set for code outside 64-bit
// mode (interp/legacy/rows.h). In a handler:
//   - the last line is `return next(cpu, op);`, except where the row is kEnd or kAlone: these set
//     cpu.state.rip (to cpu.address_after(op), or the branch target) and return;
//   - a fault is `return cpu.raise(op, Vector::kGP);`: nothing architectural may have changed
//     before, unless the manual says so (REP);
//   - no address of a local may escape (GCC would not make the tail call).
#pragma once

#include "cpu/decode/decoder.h"
#include "cpu/op.h"

namespace uchronia::cpu::interp {

// Indexed by the form of ModRM.rm and the operand size.
struct HandlerSet {
    Handler reg16, reg32, reg64;
    Handler mem16, mem32, mem64;
};

// The same function for every form and size.
constexpr HandlerSet always(Handler h) {
    return {h, h, h, h, h, h};
}
// One for register forms and one for memory forms.
constexpr HandlerSet by_form(Handler reg, Handler mem) {
    return {reg, reg, reg, mem, mem, mem};
}

// The member for the form and size of an instruction.
inline Handler member_for(const HandlerSet& set, const Decoded& decoded) {
    const bool memory = (decoded.op.flags & op_flag::kMemory) != 0;
    switch (decoded.operand_size) {
        case 2:
            return memory ? set.mem16 : set.reg16;
        case 8:
            return memory ? set.mem64 : set.reg64;
        default:
            return memory ? set.mem32 : set.reg32;
    }
}

namespace handler {
#define INSTRUCTION(name, encoding, feature, attributes, host) extern const HandlerSet name;
#include "cpu/decode/instructions.inc"
#undef INSTRUCTION
}  // namespace handler

// The function that executes a decoded instruction.
Handler handler_for(const Decoded& decoded);

}  // namespace uchronia::cpu::interp
