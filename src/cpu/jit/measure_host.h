// The self-test: executes the instructions whose flags or results the manuals leave undefined, on
// the host and by the interpreter's functions, and compares (docs/decisions/0012).
//
// It looks at register forms of all sizes with a fixed set of operands and counts. What it finds
// decides only how guests are executed, never what they see.
#pragma once

#include "cpu/jit/host_differences.h"

namespace uchronia::cpu {
class MMU;
}

namespace uchronia::cpu::jit {

struct Binder;

// Null differences for everything that was the same for all operands; all that it could not execute
// counts as different. It takes some milliseconds.
HostDifferences measure_host(MMU& mmu, const Binder& binder);

}  // namespace uchronia::cpu::jit
