#include "base/prng.h"

#include <gtest/gtest.h>

namespace uchronia {
namespace {

// The known answers that the Random123 library publishes for philox4x32-10.
TEST(RandomWord, KnownAnswers) {
    EXPECT_EQ(random_word(0, 0, 0), 0xe169c58d6627e8d5u);
    EXPECT_EQ(random_word(~u64{0}, ~u64{0}, ~u64{0}), 0x41c83b0e408f276du);
}

TEST(RandomWord, EachPartOfTheKeyCounts) {
    const u64 word = random_word(1, 2, 3);
    EXPECT_NE(word, random_word(2, 2, 3));
    EXPECT_NE(word, random_word(1, 3, 3));
    EXPECT_NE(word, random_word(1, 2, 4));
    EXPECT_EQ(word, random_word(1, 2, 3));
}

}  // namespace
}  // namespace uchronia
