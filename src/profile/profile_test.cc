#include "profile/profile.h"

#include <gtest/gtest.h>

#include "profile/flame_graph.h"

namespace uchronia::profile {
namespace {

// main calls itself and work; the kernel does something for it.
void fill(Profile& profile) {
    const Frame start{"_start", "/bin/a", Mode::kUser}, body{"main", "/bin/a", Mode::kUser},
        work{"work<int>", "/bin/a", Mode::kUser}, write{"write", "[kernel]", Mode::kKernel},
        nameless{"[0x10]", "/lib/b.so", Mode::kUser};
    for (unsigned i = 0; i < 6; ++i)
        profile.add({"a 7", {work, body, body, start}});
    for (unsigned i = 0; i < 3; ++i)
        profile.add({"a 7", {write, body, start}});
    profile.add({"b 8", {nameless}});
}

TEST(Profile, GivesRowsByWhatIsAsked) {
    Profile profile(100);
    fill(profile);
    EXPECT_EQ(profile.sample_count(), 10u);
    EXPECT_EQ(profile.kernel_sample_count(), 3u);

    const std::vector<Row> functions = rows_of(profile, GroupBy::kFunction);
    ASSERT_EQ(functions.size(), 5u);
    EXPECT_EQ(functions[0].symbol, "work<int>");
    EXPECT_EQ(functions[0].self, 6u);
    EXPECT_EQ(functions[1].mode, "kernel");
    EXPECT_EQ(functions[3].symbol, "_start");
    EXPECT_EQ(functions[4].symbol, "main");
    EXPECT_EQ(functions[4].self, 0u);
    EXPECT_EQ(functions[4].total, 9u);

    const std::vector<Row> processes = rows_of(profile, GroupBy::kProcess);
    ASSERT_EQ(processes.size(), 2u);
    EXPECT_EQ(processes[0].process, "a 7");
    EXPECT_EQ(processes[0].self, 9u);

    const std::vector<Row> objects = rows_of(profile, GroupBy::kObject);
    ASSERT_EQ(objects.size(), 3u);
    EXPECT_EQ(objects[0].object, "/bin/a");
    EXPECT_EQ(objects[0].self, 6u);
    EXPECT_EQ(objects[0].total, 9u);
}

TEST(Profile, FoldsStacks) {
    Profile profile(100);
    fill(profile);
    EXPECT_EQ(folded_stacks(profile),
              "a 7;_start;main;main;work<int> 600\n"
              "a 7;_start;main;write_[k] 300\n"
              "b 8;b.so[0x10] 100\n");
}

TEST(Profile, DrawsAFlameGraph) {
    Profile profile(100);
    fill(profile);
    const std::string svg = flame_graph(profile, "a & b");
    EXPECT_NE(svg.find("a &amp; b"), std::string::npos);
    EXPECT_NE(svg.find("<title>work&lt;int&gt; in /bin/a, 600 ticks, 60.00 %</title>"),
              std::string::npos);
    EXPECT_NE(svg.find("write_[k] in [kernel], 300 ticks, 30.00 %"), std::string::npos);
    EXPECT_EQ(svg.find("work<int>"), std::string::npos);
    EXPECT_TRUE(svg.ends_with("</svg>\n"));
    EXPECT_NE(flame_graph(Profile(1), "nothing").find("</svg>"), std::string::npos);
}

TEST(Profile, MakesNamesHarmless) {
    Profile profile(1);
    profile.add({"a;b\n", {{"<\x1b]&\xff\">", "/x;y", Mode::kUser}}});
    EXPECT_EQ(folded_stacks(profile), "a:b?;<?]&\xff\"> 1\n");
    const std::string svg = flame_graph(profile, "t");
    EXPECT_NE(svg.find("&lt;?]&amp;?&quot;&gt;"), std::string::npos);
}

}  // namespace
}  // namespace uchronia::profile
