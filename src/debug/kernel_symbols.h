// The symbols of the guest's kernel as a file that gdb reads: an ELF file without contents.
//
// Source: System V ABI, chapter 4 (object files).
#pragma once

#include <vector>

#include "profile/linux_kernel.h"

namespace uchronia::debug {

// The name under which gdb gets it from the server.
inline constexpr char kKernelSymbols[] = "/uchronia/kernel";

std::vector<u8> kernel_symbol_file(const profile::LinuxKernel& kernel);

}  // namespace uchronia::debug
