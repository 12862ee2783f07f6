#include "history/configuration_difference.h"

#include <gtest/gtest.h>

#include "history/sample_history.h"

namespace uchronia::history {
namespace {

std::vector<std::string> parts_of(const History& a, const History& b) {
    std::vector<std::string> parts;
    for (const ConfigurationDifference& difference : configuration_differences(a, b))
        parts.push_back(difference.part);
    return parts;
}

using Parts = std::vector<std::string>;

TEST(ConfigurationDifference, IsNothingForTheSame) {
    EXPECT_EQ(parts_of(sample_history(), sample_history()), Parts{});
    EXPECT_EQ(parts_of(sample_history(), without_result(sample_history())), Parts{});
}

TEST(ConfigurationDifference, NamesTheParts) {
    History other = sample_history();
    other.base.memory_size *= 2;
    other.request.arguments.push_back("more");
    other.tape.seeds[0].seed = 43;
    const std::vector<ConfigurationDifference> found =
        configuration_differences(sample_history(), other);
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].part, "base.memory_size");
    EXPECT_EQ(found[0].a, "1073741824");
    EXPECT_EQ(found[1].part, "request.arguments.3");
    EXPECT_EQ(found[1].a, "(none)");
    EXPECT_EQ(found[1].b, "\"more\"");
    EXPECT_EQ(found[2].part, "tape.seeds.0.seed");
}

TEST(ConfigurationDifference, NamesHolds) {
    History other = sample_history();
    other.tape.add({Ticks(7), 0, VirtualTime(5)});
    EXPECT_EQ(parts_of(sample_history(), other),
              (Parts{"tape.holds.0.cpu", "tape.holds.0.duration", "tape.holds.0.tick"}));
}

TEST(ConfigurationDifference, NamesInputAndFiles) {
    History other = sample_history();
    other.input[1] = 'x';
    other.record.blocks[{"/usr/x", 0, 4096}].value.digest = {9, 9};
    const std::vector<ConfigurationDifference> found =
        configuration_differences(sample_history(), other);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].part, "input");
    EXPECT_EQ(found[0].a, "6 bytes, byte 110 at 1");
    EXPECT_EQ(found[1].part, "file /usr/x");
    EXPECT_EQ(found[1].a.substr(0, 9), "contents ");
    EXPECT_NE(found[1].a, found[1].b);
}

}  // namespace
}  // namespace uchronia::history
