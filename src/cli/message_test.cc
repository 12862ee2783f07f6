#include "cli/message.h"

#include <gtest/gtest.h>

namespace uchronia::cli {
namespace {

TEST(Printable, LeavesCharactersAndEscapesWhatSteersATerminal) {
    EXPECT_EQ(printable("name \xc3\xa4 \xe2\x82\xac"), "name \xc3\xa4 \xe2\x82\xac");
    EXPECT_EQ(printable("a\x1b[31m\x7f"), "a\\x1b[31m\\x7f");
    EXPECT_EQ(printable("a\nb\tc", "\t"), "a\\x0ab\tc");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "\\xc2\\x9b31m")
        << "control characters from 80h on";
    EXPECT_EQ(printable("\x9b\xff\xc3"), "\\x9b\\xff\\xc3") << "what is no UTF-8";
    EXPECT_EQ(printable(""), "");
}

}  // namespace
}  // namespace uchronia::cli
