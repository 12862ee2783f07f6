// SYSCALL, SYSRET, CLAC and STAC as translated code does them (cpu/jit/system_stubs.cc), and
// everything that must keep it from doing so, against the interpreter.
#include <gtest/gtest.h>

#include "tests/engines/comparison.h"

namespace uchronia::engines {
namespace {

using namespace cpu;
using I = Instruction;
using enum By;
using enum Place;

const Bytes kCall = {0x0f, 0x05};  // SYSCALL

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// What a kernel does before it returns.
const Bytes kSwapTwice = {0x0f, 0x01, 0xf8, 0x0f, 0x01, 0xf8};
const Bytes kLoadUser = {0x48, 0x8b, 0x06};           // MOV RAX, [RSI]
const Bytes kLoadKernel = {0x48, 0x8b, 0x07};         // MOV RAX, [RDI]
const Bytes kStoreUser = {0x48, 0x01, 0x46, 0x08};    // ADD [RSI + 8], RAX
const Bytes kStoreKernel = {0x48, 0x01, 0x47, 0x08};  // ADD [RDI + 8], RAX
const Bytes kChangeStack = {0x48, 0x87, 0xec};        // XCHG RSP, RBP
const Bytes kPushPop = {0x56, 0x57, 0x59, 0x59};      // spoils RCX
const Bytes kKeepRCX = {0x48, 0x89, 0xca};            // MOV RDX, RCX
const Bytes kGiveRCX = {0x48, 0x89, 0xd1};
const Bytes kOtherSpace = {0x0f, 0x20, 0xd8, 0x4c, 0x31, 0xe0, 0x0f, 0x22, 0xd8};  // CR3 ^= R12
const Bytes kToRDI = {0x48, 0x89, 0xf9};                                           // MOV RCX, RDI
const Bytes kPushes = {0x50, 0x50, 0x58, 0x58};
const Bytes kSTAC = {0x0f, 0x01, 0xcb}, kCLAC = {0x0f, 0x01, 0xca};

const Bytes kCallFunction = {0x41, 0xff, 0xd4};           // CALL R12
const Bytes kCallOther = {0xe8, 0x3b, 0x40, 0x00, 0x00};  // from the entry to kJumpFar's page

// What is done when the loop's count is odd: the second time, first.
Bytes when_odd(const Bytes& code) {  // TEST BL, 1; JZ over it
    return Bytes{0xf6, 0xc3, 0x01, 0x74, static_cast<u8>(code.size())} + code;
}
Bytes or_flags(u64 flags) {  // OR R11, flags
    Bytes code = {0x49, 0x81, 0xcb};
    for (unsigned i = 0; i < 4; ++i)
        code.push_back(static_cast<u8>(flags >> (8 * i)));
    return code;
}

void no_interrupts(CPUState& s) {
    s.system_flags &= ~rflags::kIF;
}
void smap(CPUState& s) {
    s.cr4 |= cr4::kSMAP | cr4::kSMEP;
}
void smap_and_ac(CPUState& s) {
    smap(s);
    s.system_flags |= rflags::kAC;
}
void no_system_calls(CPUState& s) {
    s.efer &= ~efer::kSCE;
}
void other_space(CPUState& s) {
    s.gpr[kR12] = user(page::kRoot ^ page::kOtherRoot);
}
void segments_with_bases(CPUState& s) {
    for (const SegmentRegister segment : {kCS, kSS}) {
        Segment based = s.segments[segment];
        based.base = 0x12'3450;
        s.set_segment(segment, based);
    }
}
template <u64 kAddress>
void function(CPUState& s) {
    s.gpr[kR12] = kAddress;
}
template <u64 kTarget>
void target(CPUState& s) {
    s.gpr[kRDI] = kTarget;
}
template <u64 kValue>
void star(CPUState& s) {
    s.star = kValue;
}
template <u64 kValue>
void mask(CPUState& s) {
    all_flags(s);
    s.sfmask = kValue;
}

TEST(SystemCall, AsKernelsDoIt) {
    std::vector<Case> cases;
    for (const I instruction : {I::SYSCALL, I::SYSRET}) {
        const auto add = [&](const char* name, const Bytes& body, Prepare prepare,
                             const Bytes& entry) {
            cases.push_back({name, instruction, kTranslation, kUser, body, prepare, entry});
        };
        add("nothing", kCall, nothing, kReturn);
        add("flags set", kCall, all_flags, kReturn);
        add("interrupts off", kCall, no_interrupts, kReturn);
        add("two of them", kCall + kCall, all_flags, kReturn);
        add("SWAPGS", kCall, nothing, kSwapTwice + kReturn);
        add("memory of both", kCall + kLoadUser + kStoreUser, nothing,
            kLoadKernel + kStoreKernel + kLoadUser + kStoreUser + kReturn);
        add("memory of both, SMAP", kCall + kLoadUser + kStoreUser, smap,
            kLoadKernel + kStoreKernel + kReturn);
        add("its own stack", Bytes{0x50} + kCall + Bytes{0x58}, nothing,
            kKeepRCX + kChangeStack + kPushPop + kChangeStack + kGiveRCX + kReturn);
        add("the user's stack, SMAP", Bytes{0x50} + kCall + Bytes{0x58, 0x50, 0x50, 0x58, 0x58},
            smap, kKeepRCX + kChangeStack + kPushPop + kChangeStack + kGiveRCX + kReturn);
        add("the user's stack", kPushes + kCall, nothing, kPushes + kReturn);
        add("functions in other pages", kCall + kCallFunction, function<kJumpFar>,
            kCallOther + kReturn);
        add("segments with bases", kCall, segments_with_bases, kReturn);
        add("STAC, CLAC", kCall + kLoadUser, smap,
            kSTAC + kLoadUser + kStoreUser + kCLAC + kReturn);
        add("other segments", kCall, star<u64{0x0043} << 32 | u64{0x0051} << 48>, kReturn);
        add("segments that wrap", kCall, star<u64{0xfffb} << 32 | u64{0xfff8} << 48>, kReturn);
        add("flags that cannot be", kCall, nothing,
            or_flags(0xffff'ffff & ~(rflags::kTF | rflags::kAC)) + kReturn);
        add("no flags", kCall, all_flags, Bytes{0x4d, 0x31, 0xdb} + kReturn);
        add("a mask of all", kCall, mask<0xffff'ffff>, kReturn);
        add("a mask of the least", kCall, mask<rflags::kArithmetic | rflags::kTF | rflags::kAC>,
            kReturn);
    }
    expect_all_equal(cases);
}

TEST(SystemCall, IsLeftToTheInterpreter) {
    // clang-format off
    expect_all_equal({
        {"off", I::SYSCALL, kFunction, kUser, kCall, no_system_calls},
        {"of a kernel", I::SYSCALL, kFunction, kKernel, kCall, nothing, {0xff, 0xe1}},
        {"a mask without AC", I::SYSCALL, kFunction, kUser, kCall, mask<kUsualMask & ~rflags::kAC>},
        {"a mask without TF", I::SYSCALL, kFunction, kUser, kCall, mask<kUsualMask & ~rflags::kTF>},
        {"a mask without CF", I::SYSCALL, kFunction, kUser, kCall, mask<kUsualMask & ~rflags::kCF>},
        {"no mask", I::SYSCALL, kFunction, kUser, kCall, mask<0>},
        {"a kernel elsewhere", I::SYSCALL, kFunction, kUser, kCall,
         [](CPUState& s) { s.lstar = kHighAlias + user(page::kEntry); }},
        {"a kernel in the lower half", I::SYSCALL, kFunction, kUser, kCall,
         [](CPUState& s) { s.lstar = user(page::kLowCode, 0x400); }},
        {"a kernel where nothing is", I::SYSCALL, kFunction, kUser, kCall,
         [](CPUState& s) { s.lstar = kernel(page::kCount); }},
        {"a user near the boundary", I::SYSCALL, kFunction, kUser, kCall,
         [](CPUState& s) { s.rip = kEdge + user(page::kUserCode); }},
        {"stepped", I::SYSCALL, kFunction, kUser, kCall, stepped},
        {"stepped further", I::SYSCALL, kFunction, kUser, kCall,
         [](CPUState& s) { s.system_flags |= rflags::kTF; s.sfmask &= ~rflags::kTF; }},
        {"with a breakpoint somewhere", I::SYSCALL, kFunction, kUser, kCall, watched},
        {"behind RF", I::SYSCALL, kBoth, kUser, kCall,
         resumed},
        {"with an interrupt that may not come", I::SYSCALL, kFunction, kUser, kCall, no_interrupts,
         kReturn, 2},
        {"with an interrupt that comes", I::SYSCALL, kBoth, kUser, kCall, nothing, kReturn, 7},
    });
    // clang-format on
}

TEST(SystemReturn, IsLeftToTheInterpreter) {
    const auto case_of = [](const char* name, Prepare prepare, const Bytes& entry,
                            By by = kFunction) {
        return Case{name, I::SYSRET, by, kUser, kCall, prepare, entry};
    };
    const Bytes flags_to_rcx = {0x4c, 0x89, 0xd9};  // MOV RCX, R11
    // clang-format off
    expect_all_equal({
        case_of("TF", nothing, or_flags(rflags::kTF) + kReturn),
        case_of("AC", nothing, or_flags(rflags::kAC) + kReturn),
        case_of("to 32-bit code", nothing, {0x0f, 0x07}),
        case_of("to 32-bit code, the second time", nothing, when_odd({0x0f, 0x07}) + kReturn),
        case_of("to flags as an address", nothing, flags_to_rcx + kReturn),
        case_of("not canonical", target<0x8000'0000'0000>, kToRDI + kReturn),
        case_of("not canonical, the upper one", target<0xffff'7fff'ffff'fff0>, kToRDI + kReturn),
        case_of("far away", target<u64{1} << 62>, kToRDI + kReturn),
        case_of("to a kernel's page", target<kernel(page::kKernelCode)>, kToRDI + kReturn),
        case_of("to nowhere", target<user(page::kAbsent)>, kToRDI + kReturn),
        case_of("to the last bytes", target<0x7fff'ffff'fffe>, kToRDI + kReturn),
        case_of("near the boundary", target<kEdge + user(page::kUserCode)>, kToRDI + kReturn),
        {"of a user", I::SYSRET, kFunction, kUser, kReturn},
        {"of a kernel in the lower half", I::SYSRET, kFunction, kKernelInLowerHalf, kReturn,
         [](CPUState& s) { s.gpr[kRCX] = user(page::kUserCode); }},
        {"off", I::SYSRET, kFunction, kKernel, kReturn, no_system_calls},
        {"with an interrupt that comes now", I::SYSRET, kFunction, kUser, kCall, no_interrupts,
         or_flags(rflags::kIF) + kReturn, 2},
    });
    // clang-format on
}

// What has been prepared for the other privilege is not what it would be now.
TEST(SystemReturn, NoticesChangesInBetween) {
    const auto pages = [](CPUState& s) {
        s.gpr[kRDI] = entry_of(page::kUserCode);
        s.gpr[kR12] = user(page::kUserCode ^ page::kOtherUserCode);
    };
    const auto data = [](CPUState& s) {
        s.gpr[kRDI] = entry_of(page::kData);
        s.gpr[kR12] = user(page::kData ^ page::kNextData);
    };
    const auto code = [](CPUState& s) { s.gpr[kRDI] = kSubtrahend; };
    const auto signalling = [](CPUState& s) { s.vectors[1].q[0] = 0x7f80'0001; };
    const Bytes exchange = {0x4c, 0x31, 0x27};  // XOR [RDI], R12
    const Bytes rewrite = {0x80, 0x37, 0x03};   // XOR byte [RDI], 3: one or two
    const Bytes mxcsr_of_kernel = {0x0f, 0xae, 0x17}, mxcsr_of_user = {0x0f, 0xae, 0x16};
    const Bytes add_floats = {0x0f, 0x58, 0xc1};
    const Bytes set_ts = {0x0f, 0x20, 0xc0, 0x48, 0x83, 0xf0, 0x08, 0x0f, 0x22, 0xc0};  // CR0 ^= TS
    // clang-format off
    expect_all_equal({
        {"other address space", I::SYSRET, kFunction, kUser, kCall + kLoadUser, other_space,
         kOtherSpace + kReturn},
        {"other address space and back", I::SYSRET, kTranslation, kUser, kCall + kLoadUser,
         other_space, kOtherSpace + kOtherSpace + kReturn},
        {"there and back, with SMAP", I::SYSRET, kTranslation, kUser, kCall + kLoadUser,
         [](CPUState& s) { smap(s); other_space(s); },
         kOtherSpace + kSTAC + kLoadUser + kCLAC + kOtherSpace + kSTAC + kStoreUser + kCLAC +
             kReturn},
        {"other page of code", I::SYSRET, kFunction, kUser, kCall, pages, exchange + kReturn},
        {"other page of data", I::SYSRET, kTranslation, kUser, kCall + kLoadUser + kStoreUser, data,
         exchange + kReturn},
        {"other bytes of code", I::SYSRET, kBoth, kUser, kCall, code, rewrite + kReturn},
        {"other MXCSR", I::SYSRET, kFunction, kUser, kCall + add_floats + mxcsr_of_user,
         signalling, when_odd(mxcsr_of_kernel) + kReturn},
        {"vectors forbidden, the second time", I::SYSRET, kFunction, kUser, kCall + add_floats,
         nothing, when_odd(set_ts) + kReturn},
    });
    // clang-format on
}

TEST(SystemReturn, LeavesNothingOfTheKernel) {
    // clang-format off
    expect_all_equal({
        {"load", I::SYSRET, kTranslation, kUser, kCall + kLoadUser, nothing, kLoadKernel + kReturn},
        {"load of the kernel's", I::SYSRET, kTranslationToAnEnd, kUser, kCall + kLoadKernel,
         nothing, kLoadKernel + kReturn},
        {"store to the kernel's", I::SYSRET, kTranslationToAnEnd, kUser, kCall + kStoreKernel, smap,
         kStoreKernel + kReturn},
        {"load of the kernel's, with AC", I::SYSRET, kFunction, kUser, kCall + kLoadKernel,
         nothing, kLoadKernel + or_flags(rflags::kAC) + kReturn},
        {"load of the kernel's, by SYSCALL's function", I::SYSCALL, kFunction, kUser,
         kCall + kLoadUser + kStoreUser, mask<kUsualMask & ~rflags::kCF>,
         kLoadKernel + kStoreKernel + kReturn},
        {"a function of the kernel's", I::SYSRET, kTranslationToAnEnd, kUser, kCall + kCallFunction,
         function<kClearInterrupts>, kCallFunction + kReturn},
        {"push to the user's while SMAP is on", I::SYSCALL, kTranslationToAnEnd, kUser,
         kPushes + kCall, smap, kPushes + kReturn},
        {"push to the kernel's", I::SYSRET, kTranslationToAnEnd, kUser,
         kCall + kPushes, nothing,
         kKeepRCX + kChangeStack + kPushPop + kGiveRCX + kReturn},
        {"the user's while SMAP is on", I::SYSCALL, kTranslationToAnEnd, kUser, kCall + kLoadUser,
         smap, kLoadUser + kReturn},
        {"the user's while AC is on again", I::SYSCALL, kTranslationToAnEnd, kUser, kCall,
         smap_and_ac, kLoadUser + kReturn},
    });
    // clang-format on
}

TEST(AccessFlag, OfAKernel) {
    const Bytes touch = kLoadUser + kStoreUser;
    std::vector<Case> cases;
    for (const I instruction : {I::STAC, I::CLAC}) {
        for (const Prepare prepare : {smap, smap_and_ac, nothing, all_flags}) {
            const auto add = [&](const char* name, const Bytes& body) {
                cases.push_back({name, instruction, kTranslation, kKernel, body, prepare});
            };
            add("nothing between", kSTAC + kCLAC);
            add("memory of a user", kSTAC + touch + kCLAC);
            add("memory of both", kSTAC + touch + kStoreKernel + kCLAC + kLoadKernel);
            add("twice", kSTAC + kSTAC + touch + kCLAC + kCLAC);
            add("a stack", kSTAC + kPushes + kCLAC + kPushes);
        }
    }
    cases.push_back({"the user's stack", I::STAC, kTranslation, kKernel,
                     kSTAC + kChangeStack + kPushes + kChangeStack + kCLAC, [](CPUState& s) {
                         smap(s);
                         s.gpr[kRBP] = user(page::kUserStack, 0x800);
                     }});
    expect_all_equal(cases);
}

TEST(AccessFlag, IsLeftToTheInterpreterOrFaults) {
    const Bytes touch = kLoadUser + kStoreUser;
    const Bytes both = kSTAC + touch + kCLAC;
    // clang-format off
    expect_all_equal({
        {"of a user", I::STAC, kFunction, kUser, both, smap},
        {"CLAC of a user", I::CLAC, kFunction, kUser, kCLAC, smap},
        {"in the lower half", I::STAC, kFunction, kKernelInLowerHalf, both,
         [](CPUState& s) { s.cr4 |= cr4::kSMAP; }},
        {"stepped", I::STAC, kFunction, kKernel, both,
         [](CPUState& s) { smap(s); s.system_flags |= rflags::kTF; }},
        {"interrupted", I::STAC, kBoth, kKernel, both, smap, kReturn, 8},
        {"without STAC", I::STAC, kTranslationToAnEnd, kKernel, touch, smap},
        {"behind CLAC", I::STAC, kTranslationToAnEnd, kKernel, both + touch, smap},
        {"a user's stack behind CLAC", I::STAC, kTranslationToAnEnd, kKernel,
         kSTAC + kPushes + kCLAC + kPushes,
         [](CPUState& s) { smap_and_ac(s); s.gpr[kRSP] = user(page::kUserStack, 0x800); }},
        {"behind POPF", I::STAC, kTranslationToAnEnd, kKernel,
         Bytes{0x9c} + kSTAC + kLoadUser + Bytes{0x9d} + kLoadUser, smap},
        {"by a function behind CLAC", I::CLAC, kTranslationToAnEnd, kKernel,
         both + Bytes{0x48, 0x0f, 0xc7, 0x0e}, smap},  // CMPXCHG16B [RSI]
        {"for reading only", I::STAC, kTranslationToAnEnd, kKernel, kSTAC + kStoreUser + kCLAC,
         [](CPUState& s) { smap(s); s.gpr[kRSI] = user(page::kReadOnly); }},
    });
    // clang-format on
}

}  // namespace
}  // namespace uchronia::engines
