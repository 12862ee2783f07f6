// For tests of vector instructions: a machine that has them enabled.
#pragma once

#include "cpu/interp/test_support/page_machine.h"

namespace uchronia::cpu::interp::test_support {

class VectorMachine : public PageMachine {
  public:
    VectorMachine() { cpu.state.cr4 = cr4::kOSFXSR | cr4::kOSXMMEXCPT; }
};

// With AVX enabled, in 64-bit mode.
class AVXMachine : public VectorMachine {
  public:
    AVXMachine() {
        cpu.state.cr4 |= cr4::kOSXSAVE;
        cpu.state.xcr0 = 7;
        cpu.state.efer = efer::kLMA;
        cpu.state.segments[kCS].attributes = Segment::kLong;
    }
};

}  // namespace uchronia::cpu::interp::test_support
