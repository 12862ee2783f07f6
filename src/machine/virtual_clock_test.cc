#include "machine/virtual_clock.h"

#include <gtest/gtest.h>

namespace uchronia::machine {
namespace {

TEST(VirtualClock, OneShareIsOneNanosecondATick) {
    VirtualClock clock;
    clock.advance(1000, 1);
    EXPECT_EQ(clock.now(), VirtualTime(1000));
    EXPECT_EQ(clock.ticks_until(VirtualTime(1500), 1), 500u);
    clock.skip(VirtualTime(7));
    EXPECT_EQ(clock.after(3, 1), VirtualTime(1010));
}

TEST(VirtualClock, PiecesDoNotMatter) {
    for (unsigned shares = 1; shares <= VirtualClock::kMostShares; ++shares) {
        VirtualClock whole, pieces;
        whole.advance(10'007, shares);
        for (u64 ticks = 10'007; ticks != 0;) {
            const u64 piece = std::min<u64>(ticks, 1 + ticks % 97);
            EXPECT_EQ(pieces.after(piece, shares).value, [&] {
                VirtualClock copy = pieces;
                copy.advance(piece, shares);
                return copy.now().value;
            }());
            pieces.advance(piece, shares);
            ticks -= piece;
        }
        EXPECT_EQ(whole.now(), pieces.now());
        EXPECT_EQ(whole.now(), VirtualTime(10'007 / shares));
    }
}

TEST(VirtualClock, TicksUntilIsTheLeastThatSuffices) {
    for (unsigned shares = 1; shares <= VirtualClock::kMostShares; ++shares) {
        for (unsigned before = 1; before <= VirtualClock::kMostShares; ++before) {
            for (u64 start = 0; start < 9; ++start) {
                VirtualClock clock;
                clock.advance(start, before);
                for (u64 ahead = 1; ahead < 4; ++ahead) {
                    const VirtualTime time = clock.now() + VirtualTime(ahead);
                    const u64 ticks = clock.ticks_until(time, shares);
                    ASSERT_GT(ticks, 0u);
                    EXPECT_GE(clock.after(ticks, shares), time);
                    EXPECT_LT(clock.after(ticks - 1, shares), time);
                }
            }
        }
    }
}

TEST(VirtualClock, SharesDivideWithoutRest) {
    for (unsigned shares = 1; shares <= VirtualClock::kMostShares; ++shares)
        EXPECT_EQ(VirtualClock::kParts % shares, 0u);
}

}  // namespace
}  // namespace uchronia::machine
