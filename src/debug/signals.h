// Signals as gdb numbers them, whatever the system: the guest's are Linux's.
//
// Source: the gdb manual, appendix E (remote serial protocol): stop replies and QPassSignals.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

namespace uchronia::debug {

inline constexpr int kLastSignal = 64;
// By the guest's numbers.
using SignalSet = std::bitset<kLastSignal + 1>;

// gdb's number of a signal of the guest.
int gdb_signal(int signal);
// The guest's signals in a list of gdb's numbers ("e;10;14"); nothing: it is not one.
std::optional<SignalSet> take_signals(std::string_view list);

}  // namespace uchronia::debug
