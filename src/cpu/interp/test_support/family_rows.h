// Rows of the instruction table with their handlers, for tests that go over all rows of a family.
//
// A function is only to be called where its family's handlers are linked.
#pragma once

#include <ostream>
#include <vector>

#include "cpu/decode/instruction.h"
#include "cpu/interp/handlers.h"

namespace uchronia::cpu::interp::test_support {

struct FamilyRow {
    InstructionRow row;
    const HandlerSet* handlers;

    friend void PrintTo(const FamilyRow& row, std::ostream* stream) { *stream << row.row.name; }
};
using FamilyRows = std::vector<FamilyRow>;

// The namespace is for the names that the rows are written with.
namespace rows {
using enum Feature;
using enum HostPolicy;
using namespace attribute;

#define INSTRUCTION(name, encoding, feature, attributes, host) \
    {{#name, encoding, feature, static_cast<u16>(attributes), host}, &handler::name},
inline FamilyRows x87() {
    return {
#include "cpu/decode/instructions_x87.inc"
    };
}
inline FamilyRows mmx_sse() {
    return {
#include "cpu/decode/instructions_mmx_sse.inc"
    };
}
inline FamilyRows avx_float() {
    return {
#include "cpu/decode/instructions_avx_float.inc"
    };
}
inline FamilyRows avx_integer() {
    return {
#include "cpu/decode/instructions_avx_integer.inc"
    };
}
#undef INSTRUCTION
}  // namespace rows

}  // namespace uchronia::cpu::interp::test_support
