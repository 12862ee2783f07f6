// The registers that walking a stack needs.
#pragma once

#include <array>

#include "cpu/state.h"

namespace uchronia::profile {

struct Registers {
    std::array<u64, 16> gpr{};  // by cpu::Register
    u64 rip = 0;
};

}  // namespace uchronia::profile
