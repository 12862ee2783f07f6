#include "cli/diff_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace uchronia::cli {
namespace {

DiffReport sample() {
    DiffReport report;
    report.name_a = "a.uch";
    report.name_b = "b.uch";
    report.configuration = {{"tape.seeds.0.seed", "1", "2"}};
    report.states_compared = true;
    report.first = history::FirstDifference{Ticks(1233), Ticks(1234)};
    report.state.fields = {{"cpu0.rax", "01", "02"}};
    report.state.pages = {
        {.page_number = 0x29, .offset = 16, .byte_count = 1, .a = {0xaa, 0xbb}, .b = {0xaa, 0xcc}}};
    report.next_a = report.next_b = "0x1000 in sh 7";
    report.page_names_a = {{0x29, "sh 7 at 0x2010"}};
    report.end_b = "exit status 0";
    return report;
}

TEST(DiffReport, SaysWhenAndInWhat) {
    EXPECT_EQ(diff_text(sample()),
              "The configurations differ:\n"
              "  tape.seeds.0.seed: 1 != 2\n"
              "The states are equal up to tick 1,233 and differ at tick 1,234.\n"
              "  the instruction between: 0x1000 in sh 7\n"
              "  a.uch: goes on, at 0.000000000 s of virtual time\n"
              "  b.uch: ended: exit status 0, at 0.000000000 s of virtual time\n"
              "Registers and devices that differ:\n"
              "  cpu0.rax: 01 != 02\n"
              "Pages of memory that differ (1, by their physical number):\n"
              "  0x29: 1 byte from +0x10: aabb != aacc\n"
              "      sh 7 at 0x2010 != ?\n");
}

TEST(DiffReport, SaysThatNothingDiffers) {
    DiffReport report = sample();
    report.configuration.clear();
    report.first.reset();
    report.common_ticks = 5000;
    report.end_a = "exit status 0";
    EXPECT_EQ(diff_text(report),
              "The configurations are the same.\n"
              "The states are the same at every comparison, to the end at tick 5,000: exit status "
              "0.\n");
    EXPECT_EQ(nlohmann::json::parse(diff_json(report))["same"], true);
}

TEST(DiffReport, SaysThatMachinesAreOthers) {
    DiffReport report = sample();
    report.states_compared = false;
    report.first.reset();
    EXPECT_NE(diff_text(report).find("different machines"), std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(diff_json(report))["same"], false);
}

TEST(DiffReport, GivesAllOfLongListsAsJSON) {
    DiffReport report = sample();
    report.state.fields.assign(500, {"field", "01", "02"});
    EXPECT_NE(diff_text(report).find("and 440 more"), std::string::npos);
    const nlohmann::json json = nlohmann::json::parse(diff_json(report));
    EXPECT_EQ(json["fields"].size(), 500u);
    EXPECT_EQ(json["tick"], 1234);
    EXPECT_EQ(json["pages"][0]["name_a"], "sh 7 at 0x2010");
}

}  // namespace
}  // namespace uchronia::cli
