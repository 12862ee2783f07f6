#include "cli/holds.h"

#include <gtest/gtest.h>

namespace uchronia::cli {
namespace {

using history::Hold;

TEST(Holds, AreParsed) {
    EXPECT_EQ(*parse_hold("1@#123456+5ms"), (Hold{Ticks(123456), 1, VirtualTime(5'000'000)}));
    EXPECT_EQ(*parse_hold("0@#0+1.5s"), (Hold{Ticks(0), 0, VirtualTime(1'500'000'000)}));
    EXPECT_EQ(*parse_hold(format_hold({Ticks(77), 3, VirtualTime(9)})),
              (Hold{Ticks(77), 3, VirtualTime(9)}));
}

TEST(Holds, ThatAreWrongAreRefusedWithTheReason) {
    for (const char* text :
         {"", "1", "@", "1@+", "1@#5", "1#5+5ms", "x@#5+5ms", "11@#5+5ms", "-1@#5+5ms", "1@5+5ms",
          "1@#x+5ms", "1@#5+", "1@#5+5parsecs", "1@#99999999999999999999+5ms", "1@1.5s+5ms"}) {
        const Result<Hold> hold = parse_hold(text);
        ASSERT_FALSE(hold.ok()) << text;
        EXPECT_NE(hold.error().message.find("1@#123456+5ms"), std::string::npos) << text;
    }
    history::Tape tape = history::Tape::from_seed(0);
    EXPECT_FALSE(add_holds({"2@#5+5ms"}, 2, tape).ok());
    tape = history::Tape::from_seed(0);
    EXPECT_FALSE(add_holds({"0@#5+0ms"}, 2, tape).ok());
    tape = history::Tape::from_seed(0);
    EXPECT_TRUE(add_holds({"1@#9+5ms", "0@#5+5ms"}, 2, tape).ok());
    EXPECT_EQ(tape.holds[0].vcpu, 0u);
}

}  // namespace
}  // namespace uchronia::cli
