// Code and the page table entries that it or its data lead through: what changes an entry through
// which the code runs, and what reads an entry that its own accesses change. Neither depends on
// where a run ends, or on what is cached.
#include <gtest/gtest.h>

#include "cpu/interp/test_computer.h"

namespace uchronia::cpu::interp {
namespace {

constexpr u64 kCode = TestProcessor::kCode, kOther = kCode + kPageSize;
constexpr u64 kUpperHalf = 0xffff'8000'0000'0000;
constexpr u64 kPresentWritable = 3, kUser = 4;

struct MovingCode : TestComputer {
    MovingCode(u64 base, u64 entry_flags) {
        store<u64>(kTables + 8 * 256, load<u64>(kTables) | kUser);
        for (const u64 level : {0x0, 0x1000, 0x2000})
            store<u64>(kTables + level, load<u64>(kTables + level) | kUser);
        for (const u64 page : {kCode, kOther})
            store<u64>(entry_of(page), page | entry_flags);
        // mov [rbx], rdx; mov al, 1; hlt
        load_code(kCode, {0x48, 0x89, 0x13, 0xb0, 1, 0xf4});
        load_code(kOther, {0x90, 0x90, 0x90, 0xb0, 2, 0xf4});
        gpr(kRBX) = entry_of(kCode);
        gpr(kRDX) = kOther | entry_flags;
        cpu.state.rip = base + kCode;
        mmu.update_context(cpu);
    }
};

void expect_other_page(u64 base, u64 entry_flags) {
    MovingCode whole(base, entry_flags), stepped(base, entry_flags);
    whole.run(3);
    for (unsigned tick = 0; tick < 3; ++tick)
        stepped.run(1);
    EXPECT_TRUE(whole.cpu.state.halted);
    EXPECT_EQ(whole.gpr(kRAX) & 0xff, 2u);
    EXPECT_EQ(whole.digest(), stepped.digest());
}

TEST(MovingCodeTest, InTheLowerHalf) {
    expect_other_page(0, kPresentWritable);
    expect_other_page(0, kPresentWritable | kUser);
}

TEST(MovingCodeTest, InTheUpperHalf) {
    expect_other_page(kUpperHalf, kPresentWritable);
}

// The kernel may execute user pages without SMEP; in the upper half nothing of them is cached.
TEST(MovingCodeTest, UserPagesInTheUpperHalf) {
    expect_other_page(kUpperHalf, kPresentWritable | kUser);
}

// A store to code waits for a block of its own. The load before it, which is done again there, must
// not find the dirty bit that the store sets.
TEST(OwnEntryTest, IsReadBeforeTheStoreThatMakesItDirty) {
    constexpr u64 kAccessed = 1 << 5, kDirty = 1 << 6,
                  kEntry = kOther | kPresentWritable | kAccessed;
    for (const bool waits : {false, true}) {
        TestComputer computer;
        computer.load_code(kCode, {0x90, 0x48, 0xa5, 0xf4});  // nop; movsq; hlt
        computer.load_code(kOther, {0xf4});
        if (waits)
            computer.run_from(kOther);
        computer.cpu.state.halted = false;
        computer.store<u64>(TestComputer::entry_of(kOther), kEntry);
        computer.gpr(kRSI) = TestComputer::entry_of(kOther);
        computer.gpr(kRDI) = kOther;
        computer.run_from(kCode);
        EXPECT_EQ(computer.load<u64>(kOther), kEntry);
        EXPECT_EQ(computer.load<u64>(TestComputer::entry_of(kOther)), kEntry | kDirty);
    }
}

// ENTER copies frame pointers from where it puts others later: none is copied twice because one of
// the stores had to wait.
TEST(OwnStoresTest, AreNotLoadedByWhatStoredThem) {
    constexpr u64 kEnd = kOther + kPageSize, kFirst = 0x1111, kSecond = 0xf4, kThird = 0x3333;
    for (const bool waits : {false, true}) {
        TestComputer computer;
        computer.load_code(kCode, {0x90, 0xc8, 0, 0, 4, 0xf4});  // nop; enter 0, 4; hlt
        computer.store<u64>(kEnd, kFirst);
        computer.store<u64>(kEnd - 8, kSecond);
        computer.store<u64>(kEnd - 16, kThird);
        if (waits)
            computer.run_from(kEnd - 8);  // a HLT
        computer.cpu.state.halted = false;
        computer.gpr(kRSP) = kEnd + 24;
        computer.gpr(kRBP) = kEnd + 8;
        computer.run_from(kCode);
        EXPECT_EQ(computer.load<u64>(kEnd + 16), kEnd + 8);
        EXPECT_EQ(computer.load<u64>(kEnd + 8), kFirst);
        EXPECT_EQ(computer.load<u64>(kEnd), kSecond);
        EXPECT_EQ(computer.load<u64>(kEnd - 8), kThird);
        EXPECT_EQ(computer.load<u64>(kEnd - 16), kEnd + 16);
    }
}

}  // namespace
}  // namespace uchronia::cpu::interp
