// What this host can do for us, measured rather than guessed, and what it says about itself. For
// 'uchronia doctor'; nothing that runs depends on it.
#pragma once

#include <optional>
#include <string>

#include "base/types.h"

namespace uchronia::host {

// "Intel(R) Xeon(R) ...", as the kernel names it; empty: not known.
std::string processor_name();

// Whether code that the program writes into memory can be run there: writes some, and runs it.
bool runs_written_code();

// Whether so much address space can be reserved (host::reserve, without its end).
bool can_reserve(u64 size);
// RLIMIT_AS in bytes; nothing: unlimited.
std::optional<u64> address_space_limit();
// Bytes of memory that programs can still have; nothing: not known.
std::optional<u64> available_memory();

// The first line of a file of /proc or /sys; empty: there is none.
std::string first_line_of(const std::string& path);

}  // namespace uchronia::host
