// One comparison: an instruction, the state and memory before it. A pure function of its seed.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "cpu/decode/decoder.h"
#include "tests/witness/native.h"
#include "tests/witness/state.h"

namespace uchronia::witness {

struct Patch {  // bytes that memory holds before the instruction, on top of the template
    u64 address;
    u64 value;
};

struct Case {
    std::vector<u8> code;
    cpu::Decoded decoded;  // kUndefined if a prefix makes it so
    State before;
    unsigned memory_template = 0;
    std::vector<Patch> patches;
    Ending ending = Ending::kFallsThrough;
};

inline constexpr unsigned kTemplateCount = 32;

// A random case of the row. `number` is the case's number in the row.
Case make_case(cpu::Instruction row, u64 seed, u64 number);

}  // namespace uchronia::witness
