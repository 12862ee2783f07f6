// kallsyms, a Linux kernel's list of its own symbols, found in the kernel's memory and decoded.
//
// Nothing says where the tables are: they are found by their shape. The bytes may be anything.
//
// Source: the kernel's scripts/kallsyms.c, which writes the tables, as of 6.1 and as of 6.4
// (where the addresses moved behind the names).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "profile/bytes.h"

namespace uchronia::profile {

struct KernelSymbol {
    u64 address = 0;
    char type = 0;  // as nm(1) has it: 't' and 'T' are functions
    std::string name;
};

// The symbols of a kernel whose memory `image` is; in the order of their addresses, but for those
// of per-CPU variables.
Result<std::vector<KernelSymbol>> find_kernel_symbols(Bytes image);

}  // namespace uchronia::profile
