#include "cli/explore_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace uchronia::cli {
namespace {

using explore::Results;
using explore::RunSummary;
using history::OutcomeKind;

RunSummary run_with(u64 status, std::string_view text) {
    explore::OutputSummariser summariser;
    summariser.output(machine::OutputStream::kOutput,
                      {reinterpret_cast<const u8*>(text.data()), text.size()});
    return {.outcome = {OutcomeKind::kExited, status, ""},
            .output = summariser.summary(),
            .ticks = Ticks(10),
            .time = VirtualTime(20)};
}

Results sample() {
    Results results(7);
    for (const char* sum : {"sum 20\n", "sum 19\n", "sum 20\n"})
        results.add(run_with(0, std::string("begin\n\n") + sum));
    results.add(run_with(3, "begin\n\nfailed\x1b[31m\n"));
    results.add(run_with(3, "begin\n"));
    results.add(run_with(3, "begin\n"));
    return results;
}

TEST(ExploreReport, TellsOutcomesApartByALine) {
    EXPECT_EQ(telling_lines(sample().outcomes()),
              (std::vector<std::string>{"sum 20", "sum 19", "failed?[31m", "begin"}));
    Results results(0);
    results.add(run_with(0, ""));
    results.add(run_with(0, std::string(200, 'x') + "\n"));
    results.add(run_with(0, std::string(119, 'x') + "\xc3\xa4\n"));
    const std::string x119(119, 'x');
    EXPECT_EQ(telling_lines(results.outcomes()),
              (std::vector<std::string>{"(no output)", x119 + "x…", x119 + "…"}));
    // What is the same for longer than is kept differs at its end.
    Results late(0);
    late.add(run_with(0, std::string(5000, '\n') + "a\n"));
    late.add(run_with(0, std::string(5000, '\n') + "b\n"));
    EXPECT_EQ(telling_lines(late.outcomes()), (std::vector<std::string>{"a", "b"}));
}

TEST(ExploreReport, ListsFailuresFirst) {
    EXPECT_EQ(explore_text(sample(), {{10, "f/x.uch"}}, 20),
              "6 seeds: 3 passed, 3 failed; 4 distinct outcomes\n"
              "     1 x exit status 3; first with seed 10\n"
              "         failed?[31m\n"
              "         uchronia replay f/x.uch\n"
              "     2 x exit status 3; first with seed 11\n"
              "         begin\n"
              "     2 x exit status 0; first with seed 7\n"
              "         sum 20\n"
              "     1 x exit status 0; first with seed 8\n"
              "         sum 19\n");
    EXPECT_EQ(explore_text(sample(), {}, 1),
              "6 seeds: 3 passed, 3 failed; 4 distinct outcomes\n"
              "     2 x exit status 3; first with seed 11\n"
              "         begin\n"
              "       and others in 4 seeds; --rows 0 or --json lists them\n");
}

TEST(ExploreReport, HasEverythingInJSON) {
    const std::string text = explore_json(sample(), {{10, "f/x.uch"}}, {"sh", "-c", "\xff"}, false,
                                          {.runs = 6, .seconds = 2, .virtual_seconds = 8});
    const auto json = nlohmann::json::parse(text, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << text;
    EXPECT_EQ(json["first_seed"], 7);
    EXPECT_EQ(json["seeds"], 6);
    EXPECT_EQ(json["failed"], 3);
    EXPECT_EQ(json["interrupted"], false);
    EXPECT_EQ(json["outcomes"].size(), 4u);
    EXPECT_EQ(json["outcomes"][0]["history"], "f/x.uch");
    EXPECT_EQ(json["outcomes"][0]["exit_status"], 3);
    EXPECT_EQ(json["outcomes"][2]["count"], 2);
    EXPECT_EQ(json["outcomes"][2]["output_begin"], "begin\n\nsum 20\n");
    EXPECT_TRUE(json["outcomes"][3]["history"].is_null());
    EXPECT_EQ(json["host"]["runs_per_second"], 3.0);
    EXPECT_EQ(json["host"]["virtual_seconds_per_second"], 4.0);
}

}  // namespace
}  // namespace uchronia::cli
