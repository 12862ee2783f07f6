// The translations of system instructions (cpu/jit/system.cc, PUSHF of control.cc, CLI and SWAPGS
// of block_translator.cc) against the interpreter.
#include <gtest/gtest.h>

#include "tests/engines/comparison.h"

namespace uchronia::engines {
namespace {

using namespace cpu;
using I = Instruction;
using enum By;
using enum Place;

void set_base(CPUState& s, SegmentRegister segment, u64 base) {
    Segment based = s.segments[segment];
    based.base = base;
    s.set_segment(segment, based);
}

void no_flags(CPUState& s) {
    s.set_rflags(rflags::kFixed);
}
void privileged_io(CPUState& s) {
    s.set_rflags(rflags::kFixed | rflags::kIOPL);
}

// The prefix and ModRM of an instruction with two registers.
u8 rex(bool wide, unsigned reg, unsigned rm) {
    return static_cast<u8>(0x40 | (wide ? 8 : 0) | (reg >> 3) << 2 | rm >> 3);
}
u8 registers(unsigned reg, unsigned rm) {
    return static_cast<u8>(0xc0 | (reg & 7) << 3 | (rm & 7));
}
// An instruction that writes a register; if that is RSP, there is a stack again behind it.
Bytes writing(unsigned reg, const Bytes& instruction) {
    if (reg != kRSP)
        return instruction;
    Bytes code = {0x49, 0x89, 0xe7};  // MOV R15, RSP
    code.insert(code.end(), instruction.begin(), instruction.end());
    code.insert(code.end(), {0x4c, 0x87, 0xfc});  // XCHG RSP, R15
    return code;
}
// In homes of their own, in another register's, on the stack's side, and in memory.
constexpr u8 kRegisters[] = {kRAX, kRCX, kRDX, kRSP, kRBP, kR8, kR9, kR11, kR12};

TEST(System, Direction) {
    // clang-format off
    expect_all_equal({
        {"CLD", I::CLD, kTranslation, kUser, {0xfc}, all_flags},
        {"STD", I::STD, kTranslation, kUser, {0xfd}, no_flags},
        {"CLD of a kernel", I::CLD, kTranslation, kKernel, {0xfc}, all_flags},
        {"STD, STOSB, CLD", I::STD, kTranslation, kKernel, {0xfd, 0xaa, 0xfc}},
        {"CLD, stepped", I::CLD, kFunction, kUser, {0xfc}, stepped},
        {"STD behind RF", I::STD, kBoth, kUser, {0xfd, 0xfc}, resumed},
        {"CLD with a breakpoint somewhere", I::CLD, kFunction, kUser, {0xfc}, watched},
        {"CLD, interrupted", I::CLD, kBoth, kUser, {0xfc}, nothing, kReturn, 7},
    });
    // clang-format on
}

// CLI, STI; what they enable comes exactly when it may.
TEST(System, Interrupts) {
    // clang-format off
    expect_all_equal({
        {"STI", I::STI, kTranslation, kKernel, {0xfb}, no_flags},
        {"STI, on already", I::STI, kTranslation, kKernel, {0xfb}, all_flags},
        {"CLI", I::CLI, kTranslation, kKernel, {0xfa}, all_flags},
        {"CLI, STI", I::STI, kTranslation, kKernel, {0xfa, 0xfb}},
        {"STI, CLI", I::STI, kTranslation, kKernel, {0xfb, 0xfa}, no_flags},
        {"STI, STI, NOP, CLI", I::STI, kTranslation, kKernel, {0xfb, 0xfb, 0x90, 0xfa}, no_flags},
        {"STI, pending", I::STI, kBoth, kKernel, {0xfb, 0x90, 0xfa}, no_flags, kReturn, 2},
        {"STI, CLI, pending", I::STI, kFunction, kKernel, {0xfb, 0xfa}, no_flags, kReturn, 3},
        {"CLI, STI, HLT", I::CLI, kTranslationToAnEnd, kKernel, {0xfa, 0xfb, 0xf4}},
        {"STI, stepped", I::STI, kFunction, kKernel, {0xfa, 0xfb, 0x90}, stepped},
        {"STI of a user", I::STI, kFunction, kUser, {0xfb}},
        {"CLI of a user", I::CLI, kFunction, kUser, {0xfa}},
        {"STI of a user with IOPL", I::STI, kFunction, kUser, {0xfa, 0xfb, 0x90}, privileged_io},
        {"CLI of a user with IOPL", I::CLI, kFunction, kUser, {0xfb, 0xfa}, privileged_io},
    });
    // clang-format on
}

TEST(System, PushFlags) {
    const Bytes push_pop = {0x9c, 0x58};
    // clang-format off
    expect_all_equal({
        {"flags set", I::PUSHF, kTranslation, kUser, {0xf9, 0x9c, 0x58}, all_flags},
        {"flags clear", I::PUSHF, kTranslation, kUser, {0x31, 0xc9, 0x9c, 0x58}, no_flags},
        {"AC and ID", I::PUSHF, kTranslation, kKernel, push_pop,
         [](CPUState& s) { s.set_rflags(rflags::kFixed | rflags::kAC | rflags::kID); }},
        {"of a kernel", I::PUSHF, kTranslation, kKernel, push_pop, all_flags},
        {"behind CLI", I::PUSHF, kTranslation, kKernel, {0xfa, 0x9c, 0x58, 0xfb}},
        {"behind STD", I::PUSHF, kTranslation, kKernel, {0xfd, 0x9c, 0x58, 0xfc}},
        {"between others", I::PUSHF, kTranslation, kUser, {0x50, 0x9c, 0x51, 0x59, 0x58, 0x59}},
        {"16 bits", I::PUSHF, kFunction, kUser, {0x66, 0x9c, 0x66, 0x58}},
        {"RF", I::PUSHF, kBoth, kUser, push_pop, resumed},
        {"stepped", I::PUSHF, kFunction, kUser, push_pop, stepped},
        {"over the end of a page", I::PUSHF, kFunction, kUser, push_pop,
         [](CPUState& s) { s.gpr[kRSP] = user(page::kNextData, 4); }},
        {"to a page for reading", I::PUSHF, kFunction, kUser, push_pop,
         [](CPUState& s) { s.gpr[kRSP] = user(page::kReadOnly, 0x40); }},
        {"to nowhere", I::PUSHF, kFunction, kUser, push_pop,
         [](CPUState& s) { s.gpr[kRSP] = user(page::kAbsent, 0x40); }},
        {"to a kernel's page", I::PUSHF, kFunction, kUser, push_pop,
         [](CPUState& s) { s.gpr[kRSP] = kernel(page::kKernelData, 0x40); }},
        {"beyond, where a page seems to be", I::PUSHF, kFunction, kKernel,
         {0x48, 0x89, 0x07, 0x9c, 0x58},
         [](CPUState& s) { s.gpr[kRSP] = not_canonical(s.gpr[kRDI]); }},
        {"beyond the canonical addresses", I::PUSHF, kFunction, kKernel, push_pop,
         [](CPUState& s) { s.gpr[kRSP] = u64{1} << 47 | 0x40; }},
    });
    // clang-format on
}

// With a clock in the translated code, and without.
TEST(System, Time) {
    const auto no_time = [](CPUState& s) { s.cr4 |= cr4::kTSD; };
    const auto offset = [](CPUState& s) {
        s.tsc_offset = u64{0} - 0x1'0000'0400;
        s.tsc_aux = 0x8765'4321;
    };
    // clang-format off
    std::vector<Case> cases = {
        {"RDTSC", I::RDTSC, kTranslation, kUser, {0x0f, 0x31}},
        {"RDTSC between others", I::RDTSC, kTranslation, kUser, {0x90, 0x0f, 0x31, 0x90, 0x90}},
        {"RDTSC twice", I::RDTSC, kTranslation, kUser,
         {0x0f, 0x31, 0x89, 0xc1, 0x0f, 0x31, 0x29, 0xc8}},
        {"RDTSC, of other times", I::RDTSC, kTranslation, kUser, {0x0f, 0x31}, offset},
        {"RDTSCP", I::RDTSCP, kTranslation, kUser, {0x0f, 0x01, 0xf9}, offset},
        {"RDTSC of a kernel", I::RDTSC, kTranslation, kKernel, {0x0f, 0x31}, no_time},
        {"RDTSCP of a kernel", I::RDTSCP, kTranslation, kKernel, {0x0f, 0x01, 0xf9}, no_time},
    };
    // clang-format on
    expect_all_equal(cases);
    expect_all_equal(cases, random::Computer::Time::kShared);
    // clang-format off
    expect_all_equal({
        {"RDTSC, forbidden", I::RDTSC, kFunction, kUser, {0x0f, 0x31}, no_time},
        {"RDTSCP, forbidden", I::RDTSCP, kFunction, kUser, {0x0f, 0x01, 0xf9}, no_time},
        {"RDTSC, interrupted", I::RDTSC, kBoth, kUser, {0x0f, 0x31}, nothing, kReturn, 9},
        {"RDTSC, stepped", I::RDTSC, kFunction, kUser, {0x0f, 0x31}, stepped},
    });
    // clang-format on
    for (Case& tested : cases)
        tested.by = kFunction;
    expect_all_equal(cases, random::Computer::Time::kAsked);
}

// RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE: /0 to /3.
TEST(System, Bases) {
    static constexpr I kInstructions[] = {I::RDFSBASE_Ry, I::RDGSBASE_Ry, I::WRFSBASE_Ry,
                                          I::WRGSBASE_Ry};
    const Prepare prepares[] = {nothing, [](CPUState& s) { set_base(s, kFS, u64{0} - 0x8000); },
                                no_flags};
    std::vector<Case> cases;
    for (u8 number = 0; number < 4; ++number) {
        for (const u8 reg : kRegisters) {
            for (const bool wide : {false, true}) {
                const Bytes body =
                    writing(reg, {0xf3, rex(wide, 0, reg), 0x0f, 0xae, registers(number, reg)});
                for (const Prepare prepare : prepares)
                    cases.push_back({"register", kInstructions[number], kTranslation,
                                     reg % 2 == 0 ? kUser : kKernel, body, prepare});
            }
        }
    }
    expect_all_equal(cases);
}

TEST(System, BasesInUse) {
    const Bytes write_fs = {0xf3, 0x48, 0x0f, 0xae, 0xd0};  // WRFSBASE RAX
    const auto off = [](CPUState& s) { s.cr4 &= ~cr4::kFSGSBASE; };
    const auto wild = [](CPUState& s) { s.gpr[kRAX] = 0x8000'0000'0000; };
    const auto upper = [](CPUState& s) { s.gpr[kRAX] = ~u64{0} << 47; };
    // clang-format off
    expect_all_equal({
        {"WRFSBASE, and through it", I::WRFSBASE_Ry, kTranslation, kUser,
         {0xf3, 0x48, 0x0f, 0xae, 0xd6, 0x64, 0x48, 0x8b, 0x04, 0x25, 0x08, 0, 0, 0}},
        {"WRGSBASE, and through it", I::WRGSBASE_Ry, kTranslation, kKernel,
         {0xf3, 0x48, 0x0f, 0xae, 0xdf, 0x65, 0x48, 0x8b, 0x04, 0x25, 0x08, 0, 0, 0}},
        {"SWAPGS", I::SWAPGS, kTranslation, kKernel, {0x0f, 0x01, 0xf8}},
        {"SWAPGS, and through it", I::SWAPGS, kTranslation, kKernel,
         {0x0f, 0x01, 0xf8, 0x65, 0x48, 0x8b, 0x04, 0x25, 0x08, 0, 0, 0}},
        {"SWAPGS, RDGSBASE", I::SWAPGS, kTranslation, kKernel,
         {0x0f, 0x01, 0xf8, 0xf3, 0x48, 0x0f, 0xae, 0xc8}},
        {"SWAPGS of a user", I::SWAPGS, kFunction, kUser, {0x0f, 0x01, 0xf8}},
        {"WRFSBASE, the first of the upper half", I::WRFSBASE_Ry, kTranslation, kUser, write_fs,
         upper},
        {"WRFSBASE, not canonical", I::WRFSBASE_Ry, kFunction, kUser, write_fs, wild},
        {"WRGSBASE, not canonical", I::WRGSBASE_Ry, kFunction, kKernel,
         {0xf3, 0x48, 0x0f, 0xae, 0xd8}, wild},
        {"WRFSBASE, 32 bits of that", I::WRFSBASE_Ry, kTranslation, kUser, {0xf3, 0x0f, 0xae, 0xd0},
         wild},
        {"RDFSBASE, off", I::RDFSBASE_Ry, kFunction, kUser, {0xf3, 0x48, 0x0f, 0xae, 0xc0}, off},
        {"RDGSBASE, off", I::RDGSBASE_Ry, kFunction, kKernel, {0xf3, 0x48, 0x0f, 0xae, 0xc8}, off},
        {"WRFSBASE, off", I::WRFSBASE_Ry, kFunction, kKernel, write_fs, off},
        {"WRGSBASE, off", I::WRGSBASE_Ry, kFunction, kUser, {0xf3, 0x48, 0x0f, 0xae, 0xd8}, off},
    });
    // clang-format on
}

TEST(System, Selectors) {
    std::vector<Case> cases;
    for (u8 segment = kES; segment <= kGS; ++segment) {
        for (const u8 reg : kRegisters) {
            for (const bool wide : {false, true})
                cases.push_back({"register", I::MOV_Ev_Sw, kTranslation, kUser,
                                 writing(reg, {rex(wide, 0, reg), 0x8c, registers(segment, reg)})});
        }
        cases.push_back({"memory",
                         I::MOV_Ev_Sw,
                         kTranslation,
                         kUser,
                         {0x8c, static_cast<u8>(0x46 | segment << 3), 0x10, 0xff, 0x46, 0x10}});
        cases.push_back(
            {"memory, through R9",
             I::MOV_Ev_Sw,
             kTranslation,
             kKernel,
             {0x41, 0x8c, static_cast<u8>(0x41 | segment << 3), 0x10, 0x41, 0xff, 0x41, 0x0e},
             [](CPUState& s) { s.gpr[kR9] = kernel(page::kKernelData, 0xffd - 0x10); }});
    }
    expect_all_equal(cases);
    const Bytes to_memory = {0x8c, 0x1e};  // MOV [RSI], DS
    // clang-format off
    expect_all_equal({
        {"16 bits", I::MOV_Ev_Sw, kFunction, kUser, {0x66, 0x8c, 0xd8}},
        {"over the end of a page", I::MOV_Ev_Sw, kFunction, kUser, to_memory,
         [](CPUState& s) { s.gpr[kRSI] = user(page::kData, 0xfff); }},
        {"to a page for reading", I::MOV_Ev_Sw, kFunction, kUser, to_memory,
         [](CPUState& s) { s.gpr[kRSI] = user(page::kReadOnly); }},
        {"to nowhere", I::MOV_Ev_Sw, kFunction, kKernel, to_memory,
         [](CPUState& s) { s.gpr[kRSI] = user(page::kAbsent); }},
        {"beyond, where a page seems to be", I::MOV_Ev_Sw, kFunction, kKernel,
         {0x48, 0x89, 0x07, 0x8c, 0x1e},
         [](CPUState& s) { s.gpr[kRSI] = not_canonical(s.gpr[kRDI]); }},
        {"beyond the canonical addresses", I::MOV_Ev_Sw, kFunction, kKernel, to_memory,
         [](CPUState& s) { s.gpr[kRSI] = u64{1} << 47; }},
    });
    // clang-format on
}

TEST(System, ControlRegisters) {
    std::vector<Case> cases;
    for (const unsigned control : {0u, 2u, 3u, 4u}) {
        for (const u8 reg : kRegisters)
            cases.push_back(
                {"read", I::MOV_Ry_Cy, kTranslation, kKernel,
                 writing(reg, {rex(false, 0, reg), 0x0f, 0x20, registers(control, reg)})});
        cases.push_back({"read by a user",
                         I::MOV_Ry_Cy,
                         kFunction,
                         kUser,
                         {0x0f, 0x20, registers(control, kRAX)}});
    }
    // INVLPG has nothing to do.
    cases.push_back({"CR8", I::MOV_Ry_Cy, kFunction, kKernel, {0x44, 0x0f, 0x20, 0xc0}});
    cases.push_back({"INVLPG", I::INVLPG_Mb, kTranslation, kKernel, {0x0f, 0x01, 0x3e}});
    cases.push_back({"INVLPG of a user", I::INVLPG_Mb, kFunction, kUser, {0x0f, 0x01, 0x3e}});
    expect_all_equal(cases);
}

}  // namespace
}  // namespace uchronia::engines
