#include "cli/moments.h"

#include <gtest/gtest.h>

namespace uchronia::cli {
namespace {

using history::Moment;

TEST(Moments, AreTicksTimesOrTheEnd) {
    EXPECT_EQ(*parse_moment("#123"), Moment::at(Ticks(123)));
    EXPECT_EQ(*parse_moment("1.5s"), Moment::at(VirtualTime(1'500'000'000)));
    EXPECT_EQ(*parse_moment("end"), Moment::end());
    for (const char* wrong : {"", "#", "#1x", "then", "-1s"})
        EXPECT_FALSE(parse_moment(wrong).ok()) << wrong;
}

TEST(Moments, StandBehindAHistoryOrInAnOption) {
    EXPECT_EQ(named_moment("last", "")->moment, Moment::end());
    EXPECT_EQ(named_moment("last@#7", "")->moment, Moment::at(Ticks(7)));
    EXPECT_EQ(named_moment("last@#7", "")->history, "last");
    EXPECT_EQ(named_moment("a@b@2s", "")->history, "a@b");
    EXPECT_EQ(named_moment("last", "#9")->moment, Moment::at(Ticks(9)));
    EXPECT_FALSE(named_moment("last@#7", "#9").ok());
    EXPECT_FALSE(named_moment("last@", "").ok());
}

}  // namespace
}  // namespace uchronia::cli
