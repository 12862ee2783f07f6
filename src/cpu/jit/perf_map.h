// Names for translated code in the host's perf: the file in which perf looks for them, one line for
// each block with the guest address that it was first executed at.
//
// Source: Linux, tools/perf/Documentation/jit-interface.txt.
#pragma once

#include <string>

#include "base/result.h"
#include "cpu/jit/code_store.h"

namespace uchronia::cpu::jit {

// Where perf looks for the names of this process.
std::string perf_map_path();

// Appends the store's blocks, and its cold area as a whole.
Status append_perf_map(const CodeStore& store);

}  // namespace uchronia::cpu::jit
