// A development aid: lets the agent boot on a computer that is not Uchronia (say, in an emulator),
// and answers its hypercalls there. What it does is told by words of the kernel command line:
// `uchronia.run=WORD,WORD...` is the command. The console takes the output and the reports. The
// "host" file tree is the folder /host of the initramfs.
#pragma once

#include "guest/hypercall.h"

namespace uchronia::agent {

long self_test_hypercall(UchroniaHypercall function, unsigned long a, unsigned long b,
                         unsigned long c);

}  // namespace uchronia::agent
