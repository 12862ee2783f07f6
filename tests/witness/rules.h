// What is not compared, and why: rows that the host cannot witness, and flags that the manual
// leaves undefined.
#pragma once

#include <string_view>

#include "cpu/decode/instruction.h"
#include "tests/witness/case.h"

namespace uchronia::witness {

// Why the host is no witness for a row; empty if it is one.
std::string_view exemption(const cpu::InstructionRow& row);

// Whether a witnessed row faults in user mode whatever its operands are.
bool always_faults(const cpu::InstructionRow& row);

// Whether this host has the row's feature.
bool host_has(cpu::Feature feature);

// RFLAGS bits that are undefined after the case's instruction (the manual's words, with the values
// that decide).
u64 undefined_flags(const Case& c);

// Whether the destination itself is undefined.
bool has_undefined_result(const Case& c, const Outcome& native);

}  // namespace uchronia::witness
