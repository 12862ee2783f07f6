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
    return member_for(*handler_table()[static_cast<std::size_t>(decoded.instruction)], decoded);
}

}  // namespace uchronia::cpu::interp
