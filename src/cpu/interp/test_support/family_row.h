// A row of the instruction table with its handlers, for tests that go over all rows of a family.
#pragma once

#include <ostream>

#include "cpu/decode/instruction.h"
#include "cpu/interp/handlers.h"

namespace uchronia::cpu::interp::test_support {

struct FamilyRow {
    InstructionRow row;
    const HandlerSet* handlers;

    friend void PrintTo(const FamilyRow& row, std::ostream* stream) { *stream << row.row.name; }
};

}  // namespace uchronia::cpu::interp::test_support
