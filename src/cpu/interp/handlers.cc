#include "cpu/interp/handlers.h"

#include <array>

#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {
namespace {

void raise_undefined(VCPU& cpu, const Op* op) {
    cpu.raise(op, Vector::kUD);
}

constexpr std::size_t kRowCount = static_cast<std::size_t>(Instruction::kCount);

const std::array<const HandlerSet*, kRowCount>& handler_table() {
    static constexpr HandlerSet kUndefinedSet = always(raise_undefined);
    static constexpr std::array<const HandlerSet*, kRowCount> kTable = {
        &kUndefinedSet,
#define INSTRUCTION(name, encoding, feature, attributes, host) &handler::name,
#include "cpu/decode/instructions.inc"
#undef INSTRUCTION
    };
    return kTable;
}

}  // namespace

Handler handler_for(const Decoded& decoded) {
    const HandlerSet& set = *handler_table()[static_cast<std::size_t>(decoded.instruction)];
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

}  // namespace uchronia::cpu::interp
