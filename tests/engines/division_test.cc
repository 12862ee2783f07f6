// Divisions in translated code that fault: by registers and memory, of which the stack's has been
// checked at the head of its block.
#include <gtest/gtest.h>

#include "tests/engines/comparison.h"

namespace uchronia::engines {
namespace {

using namespace cpu;
using I = Instruction;
using enum By;
using enum Place;

// LEA RCX, [RBX - fault_at]; PUSH RCX; XOR EDX, EDX; MOV EAX, 1000; the division; POP RCX. The
// loop counts RBX down to 1.
Bytes dividing(u8 fault_at, const Bytes& division) {
    Bytes code = {0x48, 0x8d, 0x4b, static_cast<u8>(-fault_at), 0x51, 0x31, 0xd2, 0xb8, 0xe8,
                  0x03, 0x00, 0x00};
    code.insert(code.end(), division.begin(), division.end());
    code.push_back(0x59);
    return code;
}

struct Division {
    const char* name;
    I instruction;
    Bytes bytes;
};
const Division kDivisions[] = {
    {"by a register", I::DIV_Ev, {0x48, 0xf7, 0xf1}},
    {"of the stack", I::DIV_Ev, {0x48, 0xf7, 0x34, 0x24}},
    {"of the stack, 32 bits", I::DIV_Ev, {0xf7, 0x34, 0x24}},
    {"of the stack, 8 bits", I::DIV_Eb, {0xf6, 0x34, 0x24}},
    {"signed, of the stack", I::IDIV_Ev, {0x48, 0xf7, 0x3c, 0x24}},
    // LEA R9, [RSP]; DIV QWORD PTR [R9]
    {"of memory", I::DIV_Ev, {0x4c, 0x8d, 0x0c, 0x24, 0x49, 0xf7, 0x31}},
};

TEST(Division, FaultsWhereTheOtherEngineFaults) {
    std::vector<Case> cases;
    for (const Division& division : kDivisions) {
        for (const u8 fault_at : {u8{kLoops}, u8{3}, u8{1}}) {
            for (const Place place : {kUser, kKernel})
                cases.push_back({division.name, division.instruction, kFunction, place,
                                 dividing(fault_at, division.bytes)});
        }
    }
    expect_all_equal(cases);
}

}  // namespace
}  // namespace uchronia::engines
