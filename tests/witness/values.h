// Operand values that are likely to find mistakes: edges of integers and floating-point formats,
// and plain random ones.
#pragma once

#include <array>
#include <span>

#include "tests/witness/random.h"
#include "tests/witness/state.h"

namespace uchronia::witness {

u64 integer_value(Random& random);
u64 double_value(Random& random);
u32 single_value(Random& random);
FXImage::Register extended_value(Random& random);
std::array<u64, 2> vector_value(Random& random);

// Fills memory with a mixture of all of them.
void fill_with_values(std::span<u8> bytes, Random& random);

// Registers, flags and floating-point environment; pointers point into the data pages.
State random_state(Random& random);

}  // namespace uchronia::witness
