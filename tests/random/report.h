// Shows a difference to a person: the pieces, the last instructions, and what differs.
#pragma once

#include "tests/random/ways.h"

namespace uchronia::random {

void print_program(const Program& program, const Mask& mask, const Image& image);
void print_difference(Computer& reference, Computer& other, const Subject& subject, Way way);

}  // namespace uchronia::random
