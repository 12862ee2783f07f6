// The rows that 64-bit mode has too but whose handlers are others outside it. The sets are
// legacy::NAME.
#pragma once

#include "cpu/interp/handlers.h"

namespace uchronia::cpu::interp::legacy {

#define LEGACY(name) extern const HandlerSet name;
#include "cpu/interp/legacy/rows.inc"
#undef LEGACY

struct Row {
    Instruction instruction;
    const HandlerSet* set;
};
inline constexpr Row kRows[] = {
#define LEGACY(name) {Instruction::name, &legacy::name},
#include "cpu/interp/legacy/rows.inc"
#undef LEGACY
};

}  // namespace uchronia::cpu::interp::legacy
