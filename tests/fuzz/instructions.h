// Writes random guest instructions, by the instruction table.
#pragma once

#include <vector>

#include "tests/fuzz/input.h"

namespace uchronia::fuzz {

// Where generated code likes to go: guest-virtual addresses of code, data and devices.
struct Places {
    std::vector<u64> code;
    std::vector<u64> data;
    std::vector<u64> page_table_entries;
};

// Appends one instruction or a short idiom (a value loaded into the register that an OUT, WRMSR,
// hypercall or page table store then uses) to `code`, whose first byte will lie at `address`.
void append_code(Input& input, const Places& places, u64 address, std::vector<u8>& code);

}  // namespace uchronia::fuzz
