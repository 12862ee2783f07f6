// uchronia perf, from outside: a program of which it is known where its ticks go, twice.

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "host/files.h"
#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

const std::string kProgram = UCHRONIA_PROGRAM;
const std::string kFolder = UCHRONIA_GUEST_FOLDER;  // with two_functions; nobody writes to it

HostResult run(const std::string& command) {
    return run_command("cd '" + kFolder + "' && " + command);
}

std::string contents(const std::string& path) {
    const Result<std::vector<u8>> bytes = host::read_file(path);
    return bytes ? std::string(bytes->begin(), bytes->end()) : bytes.error().message;
}

class Perf : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        const HostResult recorded =
            run(kProgram + " run --save " + history() + " -- ./two_functions 2>&1 >/dev/null");
        ASSERT_EQ(recorded.exit_status, 0) << recorded.output;
    }
    static std::string history() { return testing::TempDir() + "perf_test.uch"; }
    static std::string perf(const std::string& options) {
        return kProgram + " perf " + options + " " + history();
    }
};

double self_ticks_of(const nlohmann::json& profile, const std::string& function) {
    for (const auto& row : profile["rows"]) {
        if (row["function"] == function && row["object"] == kFolder + "/two_functions")
            return row["self_ticks"].get<double>();
    }
    return 0;
}

TEST_F(Perf, TellsWhereTheTicksWent) {
    const HostResult output = run(perf("--every 10007 --json --by symbol") + " 2>/dev/null");
    ASSERT_EQ(output.exit_status, 0);
    const nlohmann::json profile = nlohmann::json::parse(output.output, nullptr, false);
    ASSERT_TRUE(profile.is_object()) << output.output;
    EXPECT_EQ(profile["same_history"], true);
    EXPECT_EQ(profile["state_hash"].get<std::string>().size(), 32u);
    const double heavy = self_ticks_of(profile, "heavy"), light = self_ticks_of(profile, "light");
    EXPECT_NEAR(heavy / (heavy + light), 0.75, 0.01);
    EXPECT_NEAR(heavy + light, 28e6, 1e6);  // seven instructions a round of their loops
}

TEST_F(Perf, IsTheSameAgainAndInTheOtherEngine) {
    const auto profile = [](const std::string& name, const std::string& options) {
        const std::string svg = testing::TempDir() + name + ".svg",
                          folded = testing::TempDir() + name + ".folded";
        const HostResult output =
            run(perf(options + " --rows 0 --flame " + svg + " --folded " + folded) + " 2>&1");
        EXPECT_EQ(output.exit_status, 0) << output.output;
        return output.output + contents(svg) + contents(folded);
    };
    const std::string first = profile("first", "");
    EXPECT_NE(first.find("the same history: all"), std::string::npos) << first;
    EXPECT_NE(first.find(";main;work;heavy "), std::string::npos) << first;
    EXPECT_NE(first.find("_[k]"), std::string::npos) << first;
    EXPECT_EQ(first, profile("second", ""));
    EXPECT_EQ(first, profile("third", "--engine interp"));
}

TEST_F(Perf, TakesSamplesBetweenMoments) {
    const HostResult ticks =
        run(perf("--every 1000 --from '#10000' --to '#20000'") + " 2>/dev/null");
    EXPECT_EQ(ticks.output.substr(0, 28), "10 samples, one each 1,000 t") << ticks.output;
    const HostResult none = run(perf("--from 1h") + " 2>&1");
    EXPECT_NE(none.output.find("no samples"), std::string::npos) << none.output;
    const HostResult wrong = run(perf("--from abc") + " 2>&1");
    EXPECT_EQ(wrong.exit_status, 125);
    EXPECT_NE(wrong.output.find("like #250000"), std::string::npos) << wrong.output;
}

}  // namespace
}  // namespace uchronia::tests
