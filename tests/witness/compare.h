// The difference between what the host and the interpreter made of a case, in words.
#pragma once

#include <span>
#include <string>

#include "tests/witness/case.h"

namespace uchronia::witness {

// Empty if they agree in everything that is defined; else one line for each field that differs.
std::string difference_of(const Case& c, const Outcome& native, std::span<const u8> native_data,
                          const Outcome& guest, std::span<const u8> guest_data);

// The instruction, its bytes and the registers before it.
std::string describe(const Case& c);

}  // namespace uchronia::witness
