// How a run ended, as a value and as text for a person.
#pragma once

#include <string>
#include <string_view>

#include "base/types.h"
#include "machine/machine.h"

namespace uchronia::history {

// The numbers are part of the history file: only ever add at the end.
enum class OutcomeKind : u8 {
    kExited = 0,         // code: the exit status
    kSignaled = 1,       // code: the signal
    kKernelPanic = 2,    // the kernel reset the machine; detail: its last words
    kTimeout = 3,        // the virtual time that the user allows
    kAgentPanic = 4,     // detail: why
    kPowerOff = 5,       // the guest switched itself off
    kTripleFault = 6,    // detail: where
    kUnimplemented = 7,  // detail: what and where
    kIdle = 8,           // nothing will ever happen again
    kStopped = 9,        // from outside, before its end (Ctrl-C)
};

inline constexpr u8 kOutcomeKinds = 10;

struct Outcome {
    OutcomeKind kind = OutcomeKind::kStopped;
    u64 code = 0;
    std::string detail;

    bool operator==(const Outcome&) const = default;
};

// Whether the command ended by itself with status 0.
bool succeeded(const Outcome& outcome);

// "exit status 3", "signal 11 (SIGSEGV)", "kernel panic: ...", one line.
std::string describe(const Outcome& outcome);

// What a stop of the machine means for the run; not for Stop::kTick, kReady and kInterrupted.
// `console` is the end of what the guest wrote to its serial console.
Outcome outcome_of(const machine::StopReason& reason, std::string_view console);

}  // namespace uchronia::history
