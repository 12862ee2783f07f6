// The interpreter's view of the translator: something that may run ahead of it.
#pragma once

#include "base/types.h"

namespace uchronia::cpu {

class VCPU;

class TranslatedCode {
  public:
    virtual ~TranslatedCode() = default;

    enum class Result : u8 {
        kInterpret,  // the interpreter runs the block at RIP (it may be cold, or the budget small)
        kAgain,      // look at attention, flags and budget again
        kExit,       // cpu.exit holds what the single instruction at cpu.exit_op reported
    };
    // Runs translated code from RIP on, for at most cpu.budget ticks, which it takes off. RIP and
    // the state are complete and canonical before and after.
    virtual Result run(VCPU& cpu) = 0;
    virtual void drop_caches() = 0;
};

}  // namespace uchronia::cpu
