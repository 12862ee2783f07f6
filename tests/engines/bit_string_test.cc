// The translations of BT, BTS, BTR and BTC with a bit number that reaches beyond the operand
// (cpu/jit/system.cc) against the interpreter.
#include <gtest/gtest.h>

#include "tests/engines/comparison.h"

namespace uchronia::engines {
namespace {

using namespace cpu;
using I = Instruction;
using enum By;
using enum Place;

struct Operation {
    I instruction;
    u8 opcode;
};
constexpr Operation kOperations[] = {
    {I::BT_Ev_Gv, 0xa3}, {I::BTS_Ev_Gv, 0xab}, {I::BTR_Ev_Gv, 0xb3}, {I::BTC_Ev_Gv, 0xbb}};

// The numbers go from below zero upward; where they are 32 bits wide, the upper halves do not
// count.
template <u64 kNumber>
void set_numbers(CPUState& s) {
    for (const u8 reg : {kRAX, kRCX, kRBP, kR8, kR10, kR12})
        s.gpr[reg] = kNumber;
    s.gpr[kR9] = user(page::kNextData, 0x20);
}
constexpr u64 kWideNumber = u64{0} - 100, kNarrowNumber = 0x1234'5678'ffff'ff9c;

// ADD number, 37; then the operation on [base + 16].
Bytes advance_and_touch(u8 opcode, bool wide, u8 number, u8 base) {
    return {static_cast<u8>(0x48 | number >> 3),
            0x83,
            static_cast<u8>(0xc0 | (number & 7)),
            37,
            static_cast<u8>(0x40 | (wide ? 8 : 0) | number >> 3 << 2 | base >> 3),
            0x0f,
            opcode,
            static_cast<u8>(0x40 | (number & 7) << 3 | (base & 7)),
            16};
}

TEST(BitString, NumbersOfAllRegisters) {
    std::vector<Case> cases;
    for (const Operation& operation : kOperations) {
        for (const u8 number : {kRAX, kRCX, kRBP, kR8, kR10, kR12}) {
            for (const u8 base : {kRSI, kR9}) {
                for (const bool wide : {false, true})
                    cases.push_back({"bit string", operation.instruction, kTranslation, kUser,
                                     advance_and_touch(operation.opcode, wide, number, base),
                                     wide ? set_numbers<kWideNumber> : set_numbers<kNarrowNumber>});
            }
        }
    }
    expect_all_equal(cases);
}

// Where the bits are: ModRM and what follows it, behind the prefixes; and what that means.
struct Position {
    const char* name;
    By reading, writing;
    Place place;
    Bytes prefixes, operand;
    Prepare prepare;
};
constexpr By kT = kTranslation, kF = kFunction;
const Bytes kWide = {0x48}, kAtRSI = {0x06};  // [RSI], RAX
// clang-format off
const Position kPositions[] = {
    {"indexed", kT, kT, kUser, kWide, {0x04, 0xce},  // [RSI + 8 * RCX]
     [](CPUState& s) { s.gpr[kRAX] = 0x245, s.gpr[kRCX] = 5; }},
    {"the stack", kT, kT, kKernel, kWide, {0x04, 0x24},
     [](CPUState& s) { s.gpr[kRAX] = 0x245; }},
    {"by itself", kT, kT, kUser, {0x4d}, {0x00},  // [R8], R8
     [](CPUState& s) { s.gpr[kR8] = 8 * user(page::kData, 0x40) / 9 & ~u64{7}; }},
    {"through FS", kT, kT, kUser, {0x64, 0x48}, {0x04, 0x25, 0x40, 0, 0, 0},
     [](CPUState& s) { s.gpr[kRAX] = 77; }},
    {"in the next page", kT, kT, kUser, kWide, kAtRSI,
     [](CPUState& s) { s.gpr[kRAX] = 8 * kPageSize + 3; }},
    {"the last of a page", kT, kT, kUser, {}, kAtRSI,
     [](CPUState& s) { s.gpr[kRSI] = user(page::kData, 0xffc), s.gpr[kRAX] = 31; }},
    {"over the end of a page", kF, kF, kUser, kWide, kAtRSI,
     [](CPUState& s) { s.gpr[kRSI] = user(page::kData, 0xffc), s.gpr[kRAX] = 5; }},
    {"a page for reading", kT, kF, kUser, kWide, kAtRSI,
     [](CPUState& s) { s.gpr[kRAX] = 8 * 2 * kPageSize; }},
    {"nowhere", kF, kF, kUser, kWide, kAtRSI,
     [](CPUState& s) { s.gpr[kRAX] = 8 * 3 * kPageSize; }},
    {"a kernel's page", kF, kF, kUser, kWide, kAtRSI,
     [](CPUState& s) { s.gpr[kRAX] = (kernel(page::kKernelData) - s.gpr[kRSI]) * 8; }},
    {"beyond the canonical addresses", kF, kF, kKernel, kWide, kAtRSI,
     [](CPUState& s) { s.gpr[kRAX] = u64{1} << 50; }},
    {"beyond, where a page seems to be", kF, kF, kKernel, {0x48, 0x89, 0x07, 0x48}, kAtRSI,
     [](CPUState& s) { s.gpr[kRSI] = not_canonical(s.gpr[kRDI]), s.gpr[kRAX] = 9; }},
    {"at the lowest number", kF, kF, kUser, kWide, kAtRSI,
     [](CPUState& s) { s.gpr[kRAX] = u64{1} << 63; }},
    {"16 bits", kF, kF, kUser, {0x66}, kAtRSI,
     [](CPUState& s) { s.gpr[kRAX] = 0x7fff0; }},
    {"address of 32 bits", kF, kF, kUser, {0x67, 0x48}, kAtRSI,
     [](CPUState& s) { s.gpr[kRAX] = 99; }},
};
// clang-format on

TEST(BitString, Positions) {
    std::vector<Case> cases;
    for (const auto& [instruction, opcode] : kOperations) {
        const bool writes = instruction != I::BT_Ev_Gv;
        for (const Position& position : kPositions) {
            Bytes body = position.prefixes;
            body.insert(body.end(), {0x0f, opcode});
            body.insert(body.end(), position.operand.begin(), position.operand.end());
            cases.push_back({position.name, instruction,
                             writes ? position.writing : position.reading, position.place, body,
                             position.prepare});
        }
        if (writes)
            cases.push_back({"LOCK",
                             instruction,
                             kBoth,
                             kUser,
                             {0xf0, 0x48, 0x0f, opcode, 0x06},
                             [](CPUState& s) { s.gpr[kRAX] = 99; }});
    }
    expect_all_equal(cases);
}

}  // namespace
}  // namespace uchronia::engines
