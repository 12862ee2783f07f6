// Broken invariants: abort in every build, saying where in the code and where in the history.
//
// CHECK is for what can only be false if Uchronia itself is wrong. Guest input and the operating
// system never reach a CHECK: the first gives guest faults, the second Errors.
#pragma once

namespace uchronia {

// Prints the broken invariant, the seed and the tick set by set_check_context, and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

// What this thread is running, for the message of a failed check: a seed and a pointer to its ticks
// (which must outlive the run; null when nothing runs).
void set_check_context(unsigned long long seed, const unsigned long long* ticks);

}  // namespace uchronia

#define CHECK(condition)                                              \
    do {                                                              \
        if (!(condition)) [[unlikely]]                                \
            ::uchronia::check_failed(#condition, __FILE__, __LINE__); \
    } while (false)
