#include "history/hash_chain.h"

#include <gtest/gtest.h>

#include "history/sample_history.h"

namespace uchronia::history {
namespace {

TEST(HashChain, EqualChainsDoNotDiverge) {
    const HashChain chain = sample_history().chain;
    EXPECT_FALSE(compare(chain, chain, Completeness::kComplete).has_value());
    EXPECT_TRUE(chain.well_formed());
}

TEST(HashChain, NamesTheFirstTickAndTheComponents) {
    const HashChain expected = sample_history().chain;
    HashChain actual = expected;
    for (std::size_t i = 1; i < 3; ++i) {
        actual.links[i].state.low ^= 1;
        actual.links[i].components[2].low ^= 1;
    }
    actual.links[2].components[1].low ^= 1;
    const auto divergence = compare(expected, actual, Completeness::kComplete);
    ASSERT_TRUE(divergence.has_value());
    EXPECT_EQ(divergence->tick, Ticks(kChainInterval));
    EXPECT_EQ(divergence->last_equal, Ticks(0));
    EXPECT_EQ(divergence->components, std::vector<std::string>{"ram"});
    EXPECT_EQ(divergence->describe(),
              "first different at tick 67108864 (equal at tick 0), in: ram");
}

TEST(HashChain, AChainThatGrowsIsNotShort) {
    const HashChain expected = sample_history().chain;
    HashChain actual = expected;
    actual.links.pop_back();
    EXPECT_FALSE(compare(expected, actual, Completeness::kGrowing).has_value());
    const auto shorter = compare(expected, actual, Completeness::kComplete);
    ASSERT_TRUE(shorter.has_value());
    EXPECT_EQ(shorter->components, std::vector<std::string>{"the tick of the end"});
    EXPECT_TRUE(compare(actual, expected, Completeness::kGrowing).has_value());
}

TEST(HashChain, AnotherEndAndOtherComponentsAreDifferences) {
    const HashChain expected = sample_history().chain;
    HashChain later = expected;
    later.links[2].tick += Ticks(1);
    EXPECT_EQ(compare(expected, later, Completeness::kComplete)->components.front(),
              "the tick of the end");
    HashChain renamed = expected;
    renamed.components[0] = "other";
    EXPECT_TRUE(compare(expected, renamed, Completeness::kComplete).has_value());
}

TEST(HashChain, KnowsWhenItIsNotWellFormed) {
    HashChain unordered = sample_history().chain;
    std::swap(unordered.links[0], unordered.links[1]);
    EXPECT_FALSE(unordered.well_formed());
    HashChain short_link = sample_history().chain;
    short_link.links[1].components.pop_back();
    EXPECT_FALSE(short_link.well_formed());
}

}  // namespace
}  // namespace uchronia::history
