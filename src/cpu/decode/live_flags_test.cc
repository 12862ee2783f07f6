// The look ahead behind dead flags (docs/decisions/0010): hand-written ways, and that it is
// monotonic, on random code.
#include "cpu/decode/live_flags.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <vector>

#include "base/prng.h"
#include "cpu/decode/live_flags_cache.h"

namespace uchronia::cpu {
namespace {

using Page = std::array<u8, kPageSize>;
using Bytes = std::vector<u8>;

constexpr u8 kRET = 0xc3, kNOP = 0x90;

LiveFlags scan(const Bytes& code, u16 offset = 0) {
    Page page;
    page.fill(kRET);
    std::copy(code.begin(), code.end(), page.begin() + offset);
    return live_flags(page, offset, CodeMode::k64);
}
u8 live(const Bytes& code, u16 offset = 0) {
    return scan(code, offset).live;
}

TEST(LiveFlags, KilledAndRead) {
    EXPECT_EQ(live({0x01, 0xc0}), 0);                            // add eax, eax
    EXPECT_EQ(live({0x8b, 0x03, 0x01, 0xc0}), 0);                // mov eax, [rbx]; add
    EXPECT_EQ(live({0x11, 0xc0}), flag::kCF);                    // adc
    EXPECT_EQ(live({0xff, 0xc0, 0x01, 0xc0}), 0);                // inc; add
    EXPECT_EQ(live({0xff, 0xc0}), flag::kCF);                    // inc; ret
    EXPECT_EQ(live({0x0f, 0x94, 0xc0, 0x01, 0xc0}), flag::kZF);  // setz al; add
    EXPECT_EQ(live({0x9c, 0x01, 0xc0}), kAllFlags);              // pushf; add
    EXPECT_EQ(live({0x01, 0xc0, 0x9c}), 0);                      // add; pushf
    EXPECT_EQ(live({}), kAllFlags);                              // ret
    EXPECT_EQ(live({0x0f, 0x0b}), kAllFlags);                    // ud2
    EXPECT_EQ(live({0xf3, 0xa6}), kAllFlags);                    // repe cmpsb
    EXPECT_EQ(live({0xa6}), 0);                                  // cmpsb
}

TEST(LiveFlags, ShiftsByNothing) {
    EXPECT_EQ(live({0xc1, 0xe0, 3}), 0);                                     // shl eax, 3
    EXPECT_EQ(live({0xc1, 0xe0, 32}), kAllFlags);                            // shl eax, 32
    EXPECT_EQ(live({0x48, 0xc1, 0xe0, 32}), 0);                              // shl rax, 32
    EXPECT_EQ(live({0x48, 0xc0, 0xe0, 32}), kAllFlags);                      // shl al, 32
    EXPECT_EQ(live({0xd3, 0xe0}), kAllFlags);                                // shl eax, cl
    EXPECT_EQ(live({0xc1, 0xc0, 3}), kAllFlags & ~(flag::kCF | flag::kOF));  // rol eax, 3
}

TEST(LiveFlags, BothOutcomesOfBranches) {
    // jz +2; add eax, eax; add eax, eax
    EXPECT_EQ(live({0x74, 0x02, 0x01, 0xc0, 0x01, 0xc0}), flag::kZF);
    // jz +2; add eax, eax; adc eax, eax
    EXPECT_EQ(live({0x74, 0x02, 0x01, 0xc0, 0x11, 0xc0}), flag::kZF | flag::kCF);
    // The target is not in the page.
    EXPECT_EQ(live({0x74, 0x80, 0x01, 0xc0}), kAllFlags);
    // Two conditional branches are followed, a third is not.
    EXPECT_EQ(live({0x74, 0x00, 0x74, 0x00, 0x01, 0xc0}), flag::kZF);
    EXPECT_EQ(live({0x74, 0x00, 0x74, 0x00, 0x74, 0x00, 0x01, 0xc0}), kAllFlags);
    EXPECT_EQ(live({0xeb, 0x01, kRET, 0x01, 0xc0}), 0);          // jmp +1; ret; add
    EXPECT_EQ(live({0xeb, 0xfe}), kAllFlags);                    // jmp to itself
    EXPECT_EQ(live({0xe3, 0x00, 0x01, 0xc0}), kAllFlags);        // jrcxz
    EXPECT_EQ(live({0xff, 0xe0, 0x01, 0xc0}), kAllFlags);        // jmp rax
    EXPECT_EQ(live({0xe8, 0, 0, 0, 0, 0x01, 0xc0}), kAllFlags);  // call
}

TEST(LiveFlags, Limits) {
    Bytes code(kMostScannedInstructions - 1, kNOP);
    code.insert(code.end(), {0x01, 0xc0});
    EXPECT_EQ(live(code), 0);
    code.insert(code.begin(), kNOP);
    EXPECT_EQ(live(code), kAllFlags);
    EXPECT_EQ(live({0x01, 0xc0}, kPageSize - 2), 0);
    EXPECT_EQ(live({kNOP}, kPageSize - 1), kAllFlags);
    EXPECT_EQ(live({0x01}, kPageSize - 1), kAllFlags);  // crosses into the next page
    EXPECT_EQ(live(Bytes(16, 0x66)), kAllFlags);        // too long
}

TEST(LiveFlags, NamesTheLinesThatItRead) {
    EXPECT_EQ(scan({0x01, 0xc0}).lines, 1u);
    EXPECT_EQ(scan({0x01, 0xc0}, 63).lines, 3u);
    EXPECT_EQ(scan({0xe9, 0xfb, 0x01, 0, 0}).lines, 1u | 1u << 8);  // jmp 0x200, where ret is
    EXPECT_EQ(scan({0x74, 0x7e, 0x01, 0xc0}, 128).lines, 1u << 2 | 1u << 4);
}

// Code in which most instructions read, kill, or branch near.
Page random_page(u64 seed) {
    static const Bytes kPieces[] = {{0x01, 0xc0},
                                    {0x11, 0xc0},
                                    {0xff, 0xc0},
                                    {0x89, 0xd8},
                                    {0x8b, 0x03},
                                    {0x50},
                                    {0x85, 0xc0},
                                    {0x0f, 0x94, 0xc0},
                                    {0x0f, 0x42, 0xc1},
                                    {0xc1, 0xe0, 0x02},
                                    {0xd3, 0xe0},
                                    {0x0f, 0xaf, 0xc3},
                                    {0xf9},
                                    {0x9c},
                                    {0xa6},
                                    {0xc3},
                                    {0xf7, 0xf3},
                                    {0x0f, 0xbc, 0xc3},
                                    {0x66, 0x0f, 0x2e, 0xc1}};
    Page page;
    u64 counter = 0;
    for (u64 at = 0; at < kPageSize;) {
        const u64 word = random_word(seed, 7, counter++);
        Bytes piece = kPieces[word % std::size(kPieces)];
        if (word >> 8 & 1)
            piece = {static_cast<u8>((word >> 12) % 5 == 0 ? 0xeb : 0x70 | (word >> 16 & 15)),
                     static_cast<u8>((word >> 24) % 48 - 16)};
        for (const u8 byte : piece) {
            if (at < kPageSize)
                page[at++] = byte;
        }
    }
    return page;
}

// The places that execution can be at after the instruction, as far as they lie in the page.
std::vector<u64> successors(const Decoded& decoded) {
    const std::string_view name = row_of(decoded.instruction).name;
    const u64 after = u64{decoded.op.offset} + decoded.op.length;
    if (name.starts_with("JMP_J"))
        return {decoded.op.immediate};
    if (name.starts_with("J") && !name.starts_with("JMP") && name != "JRCXZ_Jb")
        return {after, decoded.op.immediate};
    return {after};
}

// It is enough to look at single steps.
u64 expect_monotonic(const Page& page) {
    u64 dead = 0;
    for (u16 offset = 0; offset < kPageSize; ++offset) {
        Decoded decoded;
        const u8 here = live_flags(page, offset, CodeMode::k64).live;
        if (decode(std::span(page).subspan(offset), CodeMode::k64, offset, decoded) !=
                DecodeStatus::kDone ||
            decoded.instruction == Instruction::kUndefined) {
            EXPECT_EQ(here, kAllFlags);
            continue;
        }
        const FlagUse use = flag_use(decoded);
        const u8 kept = static_cast<u8>(~here & ~use.kills & kAllFlags);
        EXPECT_EQ(~here & use.reads & kAllFlags, 0) << offset;
        dead += kept != 0;
        if (kept == 0)
            continue;
        for (const u64 next : successors(decoded)) {
            EXPECT_LT(next, kPageSize) << offset;
            if (next < kPageSize) {
                const u8 there = live_flags(page, static_cast<u16>(next), CodeMode::k64).live;
                EXPECT_EQ(there & kept, 0) << offset << " to " << next;
            }
        }
    }
    return dead;
}

TEST(LiveFlags, WhatIsDeadStaysDeadUntilItIsKilled) {
    u64 dead = 0;
    for (u64 seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        dead += expect_monotonic(random_page(seed));
        if (testing::Test::HasFailure())
            return;
    }
    EXPECT_GT(dead, 10'000u);
}

TEST(LiveFlags, OnlyTheLinesLookedAtMatter) {
    for (u64 seed = 1; seed <= 10; ++seed) {
        const Page page = random_page(seed);
        const Page other = random_page(seed + 1000);
        for (u16 offset = 0; offset < kPageSize; ++offset) {
            const LiveFlags found = live_flags(page, offset, CodeMode::k64);
            Page mixed = other;
            for (u64 at = 0; at < kPageSize; ++at) {
                if ((found.lines >> (at / kScannedLine) & 1) != 0)
                    mixed[at] = page[at];
            }
            const LiveFlags again = live_flags(mixed, offset, CodeMode::k64);
            ASSERT_EQ(again.live, found.live) << seed << ": " << offset;
            ASSERT_EQ(again.lines, found.lines) << seed << ": " << offset;
        }
    }
}

TEST(LiveFlagsCache, FindsWhatAScanFindsInCodeThatChanges) {
    constexpr u64 kBytes = 256;  // of the page: few, so that the same place is asked for often
    LiveFlagsCache cache;
    Page page = random_page(1);
    u64 dead = 0;
    for (u64 i = 0; i < 200'000; ++i) {
        const u64 word = random_word(6, 0, i);
        if (i % 4 == 0)
            page[word % kBytes] = static_cast<u8>(word >> 8);
        const u16 offset = static_cast<u16>((word >> 16) % kBytes);
        const u8 live = live_flags(page, offset, CodeMode::k64).live;
        dead += live != kAllFlags;
        ASSERT_EQ(cache.find(page, word >> 32 & 1, offset), live) << i;
    }
    EXPECT_GT(dead, 1000u);
}

}  // namespace
}  // namespace uchronia::cpu
