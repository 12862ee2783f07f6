#include "cpu/interp/handlers.h"

#include <array>

#include "cpu/interp/legacy/rows.h"
#include "cpu/vcpu.h"

namespace uchronia::cpu::interp {
namespace {

void raise_undefined(VCPU& cpu, const Op* op) {
    cpu.raise(op, Vector::kUD);
}

constexpr std::size_t kRowCount = static_cast<std::size_t>(Instruction::kCount);

using HandlerTable = std::array<const HandlerSet*, kRowCount>;

constexpr HandlerSet kUndefinedSet = always(raise_undefined);

const HandlerTable& handler_table() {
    static constexpr HandlerTable kTable = {
        &kUndefinedSet,
#define INSTRUCTION(name, encoding, feature, attributes, host) &handler::name,
#include "cpu/decode/instructions.inc"
#undef INSTRUCTION
    };
    return kTable;
}

// Outside 64-bit mode.
const HandlerTable& legacy_handler_table() {
    static const HandlerTable table = [] {
        HandlerTable result = handler_table();
        for (const legacy::Row& row : legacy::kRows)
            result[static_cast<std::size_t>(row.instruction)] = row.set;
        return result;
    }();
    return table;
}

}  // namespace

Handler handler_for(const Decoded& decoded) {
    const bool legacy = (decoded.op.flags & op_flag::kLegacy) != 0;
    const HandlerTable& table = legacy ? legacy_handler_table() : handler_table();
    return member_for(*table[static_cast<std::size_t>(decoded.instruction)], decoded);
}

}  // namespace uchronia::cpu::interp
