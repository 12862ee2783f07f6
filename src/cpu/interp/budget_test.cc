// Exact budgets: however a run is cut into pieces, and whatever caches are dropped in between, the
// state after the same number of ticks is the same.
//
// Random bytes run as user code that can write to itself and to its data; every exception goes to a
// handler that starts it again at another random place with other registers.
#include <gtest/gtest.h>

#include "base/prng.h"
#include "cpu/interp/test_computer.h"

namespace uchronia::cpu::interp {
namespace {

constexpr u64 kUserCode = 0x10000, kUserPages = 4, kUserMask = kUserPages * kPageSize - 1;
constexpr u64 kSeed = 0x70000;

template <class T>
void append(std::vector<u8>& code, std::initializer_list<u8> opcode, T immediate) {
    code.insert(code.end(), opcode);
    const u8* bytes = reinterpret_cast<const u8*>(&immediate);
    code.insert(code.end(), bytes, bytes + sizeof immediate);
}

// eax: bits of the random number in rax; then the place in `to` (an `add r/m32, imm32` of the
// register that ModRM names).
void append_place(std::vector<u8>& code, u8 reg) {
    code.insert(code.end(), {0x48, 0xc1, 0xc8, 13});                                 // ror rax, 13
    code.insert(code.end(), {0x89, static_cast<u8>(0xc0 | reg)});                    // mov reg, eax
    append(code, {0x81, static_cast<u8>(0xe0 | reg)}, static_cast<u32>(kUserMask));  // and
    append(code, {0x81, static_cast<u8>(0xc0 | reg)}, static_cast<u32>(kUserCode));  // add
}

std::vector<u8> handler_code() {
    std::vector<u8> code;
    append(code, {0x48, 0xbc}, TestProcessor::kKernelStack - 0x100);  // mov rsp, ..
    append(code, {0x48, 0xb9}, kSeed);                                // mov rcx, ..
    code.insert(code.end(), {0x48, 0x8b, 0x01});                      // mov rax, [rcx]
    append(code, {0x48, 0x69, 0xc0}, u32{0x2c1b3c6d});                // imul rax, rax, ..
    append(code, {0x48, 0x05}, u32{0x12345677});                      // add rax, ..
    code.insert(code.end(), {0x48, 0x89, 0x01});                      // mov [rcx], rax
    code.insert(code.end(), {0x48, 0xff, 0x41, 0x08});                // inc [rcx + 8]
    for (const u8 reg : {kRSI, kRDI, kRBX, kRBP, kRDX})
        append_place(code, reg);
    append(code, {0x68}, u32{TestProcessor::kUserDS});  // push ss
    code.push_back(0x55);                               // push rbp, as RSP
    append(code, {0x68}, u32{0x202});                   // push flags
    append(code, {0x68}, u32{TestProcessor::kUserCS});  // push cs
    append_place(code, kRCX);
    code.insert(code.end(), {0x51, 0x83, 0xe1, 0x1f, 0x48, 0xcf});  // push; and ecx, 31; iretq
    return code;
}

std::vector<u8> random_code(u64 seed) {
    // Opcodes, prefixes and ModRM bytes that make most of the random bytes instructions that do
    // something.
    static constexpr u8 kFrequent[] = {
        0x01, 0x03, 0x29, 0x31, 0x39, 0x83, 0x85, 0x88, 0x89, 0x8a, 0x8b, 0x8d, 0xa4, 0xa5, 0xaa,
        0xab, 0xae, 0xa6, 0xc6, 0xff, 0x74, 0x75, 0xeb, 0xe8, 0xc3, 0x50, 0x58, 0x9c, 0x9d, 0xf3,
        0x48, 0x66, 0x0f, 0x06, 0x07, 0x03, 0x46, 0x47, 0x43, 0x0e, 0x1f, 0x3b, 0xc1, 0xf7, 0x04};
    std::vector<u8> code;
    for (u64 i = 0; i < kUserPages * kPageSize; ++i) {
        const u64 word = random_word(seed, 2, i);
        code.push_back(word % 4 == 0 ? static_cast<u8>(word >> 8)
                                     : kFrequent[(word >> 8) % std::size(kFrequent)]);
    }
    return code;
}

struct RandomProgram : TestComputer {
    explicit RandomProgram(u64 seed) {
        for (u64 page = 0; page < 0x380; ++page) {
            const bool user =
                page >= kUserCode >> kPageBits && page < (kUserCode >> kPageBits) + kUserPages;
            store<u64>(entry_of(page << kPageBits), page << kPageBits | (user ? 7 : 3));
        }
        load_code(kUserCode, random_code(seed));
        load_code(kHandler, handler_code());
        for (unsigned vector = 0; vector < 256; ++vector)
            set_gate(static_cast<u8>(vector), kHandler, kInterruptGate);
        store<u64>(kSeed, seed);
        cpu.state.rip = kHandler;
    }
};

constexpr u64 kPiece = 5000;
constexpr u64 kPieces = 16;

class BudgetTest : public testing::TestWithParam<u64> {};

TEST_P(BudgetTest, AnySplitGivesTheSameState) {
    const u64 seed = GetParam();
    RandomProgram whole(seed), split(seed);
    u64 counter = 0;
    for (u64 piece = 0; piece < kPieces; ++piece) {
        const RunResult expected = whole.run(kPiece);
        u64 done = 0;
        RunResult result;
        while (done < expected.ticks || (done == 0 && expected.ticks == 0)) {
            const u64 word = random_word(seed, 3, counter++);
            const u64 longest = word % 5 == 0 ? 500 : 12;
            result = split.run(std::min(expected.ticks - done, 1 + (word >> 8) % longest));
            done += result.ticks;
            if (word % 16 == 0)
                split.interpreter.drop_caches();
            if (word % 16 == 1)
                split.mmu.drop_caches();
            if (word % 64 == 2)
                split.mmu.drop_caches_and_code();
            if (result.stop != Stop::kBudget)
                break;
        }
        ASSERT_EQ(done, expected.ticks) << "seed " << seed << " piece " << piece;
        ASSERT_EQ(whole.digest(), split.digest()) << "seed " << seed << " piece " << piece;
        if (expected.stop != Stop::kBudget)
            return;
    }
    EXPECT_GT(whole.load<u64>(kSeed + 8), 50u);  // restarts: it did not just loop
}

INSTANTIATE_TEST_SUITE_P(Seeds, BudgetTest, testing::Range<u64>(1, 9));

}  // namespace
}  // namespace uchronia::cpu::interp
