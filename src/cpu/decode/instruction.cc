// The instruction table as data: the rows in the order of the enumeration.
#include "cpu/decode/instruction.h"

#include <array>

#include "base/check.h"

namespace uchronia::cpu {

namespace {

constexpr std::size_t kRowCount = static_cast<std::size_t>(Instruction::kCount);

constexpr std::array<InstructionRow, kRowCount> make_rows() {
    using enum Feature;
    using enum HostPolicy;
    using namespace attribute;
    return {{
        {"kUndefined", "", kBase, kNone, kFaulting},
#define INSTRUCTION(name, encoding, feature, attributes, host) \
    {#name, encoding, feature, attributes, host},
#include "cpu/decode/instructions.inc"
#undef INSTRUCTION
    }};
}

constexpr std::array<InstructionRow, kRowCount> kRows = make_rows();

}  // namespace

const InstructionRow& row_of(Instruction instruction) {
    const auto index = static_cast<std::size_t>(instruction);
    CHECK(index < kRows.size());
    return kRows[index];
}

}  // namespace uchronia::cpu
