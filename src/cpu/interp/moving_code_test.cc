// Code that changes the page table entry through which it runs: what comes next is fetched through
// the new one, whether or not a run ends in between.
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

}  // namespace
}  // namespace uchronia::cpu::interp
