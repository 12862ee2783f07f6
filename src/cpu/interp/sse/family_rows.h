// For the tests of this folder: its rows.
#pragma once

#include <vector>

#include "cpu/interp/test_support/family_row.h"

namespace uchronia::cpu::interp::sse {

using test_support::FamilyRow;

inline std::vector<FamilyRow> family_rows() {
    using enum Feature;
    using enum HostPolicy;
    using attribute::kNone;
    return {
#define INSTRUCTION(name, encoding, feature, attributes, host) \
    {{#name, encoding, feature, attributes, host}, &handler::name},
#include "cpu/decode/instructions_mmx_sse.inc"
#undef INSTRUCTION
    };
}

}  // namespace uchronia::cpu::interp::sse
