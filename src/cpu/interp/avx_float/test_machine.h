// For the tests of this folder: the machine of the SSE tests with AVX enabled, and the family's
// rows.
#pragma once

#include "cpu/interp/sse/test_machine.h"

namespace uchronia::cpu::interp::avx_float {

using sse::FamilyRow;

inline std::vector<FamilyRow> family_rows() {
    using enum Feature;
    using enum HostPolicy;
    using attribute::kNone;
    return {
#define INSTRUCTION(name, encoding, feature, attributes, host) \
    {{#name, encoding, feature, attributes, host}, &handler::name},
#include "cpu/decode/instructions_avx_float.inc"
#undef INSTRUCTION
    };
}

class TestMachine : public sse::TestMachine {
  public:
    TestMachine() {
        cpu.state.cr4 |= cr4::kOSXSAVE;
        cpu.state.xcr0 = 7;
        cpu.state.efer = efer::kLMA;
        cpu.state.segments[kCS].attributes = Segment::kLong;
    }
};

}  // namespace uchronia::cpu::interp::avx_float
