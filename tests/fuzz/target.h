// What every fuzz target defines, for libFuzzer and for our own driver (driver.cc).
#pragma once

#include <cstddef>
#include <vector>

#include "base/types.h"

// Runs one input; a bug ends the program.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace uchronia::fuzz {

// Valid inputs to start from; none where random bytes are as good.
std::vector<std::vector<u8>> seeds();

}  // namespace uchronia::fuzz
