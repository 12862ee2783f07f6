// uchronia explore from outside: what it lists depends neither on the number of threads nor on
// interruptions.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

namespace fs = std::filesystem;

const std::string kProgram = UCHRONIA_PROGRAM;

// Ends in one of four ways, with one of eight outputs.
constexpr char kScript[] =
    "n=$(od -An -N1 -tu1 /dev/urandom); echo begin; echo $((n % 8)); cat data; exit $((n % 4))";

class Exploration : public testing::Test {
  protected:
    void SetUp() override {
        char folder[] = "/tmp/uchronia-exploration-XXXXXX";
        ASSERT_NE(::mkdtemp(folder), nullptr);
        top_ = folder;
        fs::create_directory(top_ + "/work");
        std::ofstream(top_ + "/work/data") << "data\n";
        // Results are kept by configuration, of which other processes may have the same.
        variable_ = "TEST=" + top_;
    }
    void TearDown() override { fs::remove_all(top_); }

    HostResult explore(const std::string& options, const std::string& before = "") {
        return run_command("cd '" + top_ + "/work' && " + before + " '" + kProgram + "' explore " +
                           options + " --env " + variable_ + " --save '" + top_ +
                           "/save' -- sh -c '" + kScript + "' </dev/null 2>'" + top_ + "/errors'");
    }
    std::string errors() const {
        std::ifstream file(top_ + "/errors");
        return std::string((std::istreambuf_iterator<char>(file)), {});
    }

    std::string top_, variable_;
};

nlohmann::json results_in(const HostResult& result) {
    nlohmann::json json = nlohmann::json::parse(result.output, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << result.output;
    if (json.is_object())
        json.erase("host");
    return json;
}

TEST_F(Exploration, GivesTheSameWithAnyNumberOfThreads) {
    const HostResult one = explore("--seeds 24 --jobs 1"), three = explore("--seeds 24 --jobs 3");
    EXPECT_EQ(one.exit_status, 1) << errors();
    EXPECT_EQ(one.output, three.output);
    EXPECT_NE(one.output.find("24 seeds: "), std::string::npos) << one.output;
    EXPECT_NE(one.output.find("exit status 3"), std::string::npos) << one.output;
    EXPECT_NE(errors().find("24 runs in"), std::string::npos) << errors();
}

TEST_F(Exploration, GoesOnWhereItWasKilled) {
    const nlohmann::json whole = results_in(explore("--seeds 40 --json"));
    EXPECT_EQ(whole["seeds"], 40);
    EXPECT_EQ(whole["outcomes"].size(), 8u) << whole.dump(1);
    // Wherever this comes to, and then in steps.
    explore("--seeds 40", "timeout -s KILL 1");
    for (const char* seeds : {"10", "20", "40"}) {
        const HostResult part = explore("--json --resume --seeds " + std::string(seeds));
        EXPECT_EQ(part.exit_status, 1) << errors();
        EXPECT_EQ(results_in(part)["seeds"], std::atoi(seeds));
        if (std::string_view(seeds) == "40") {
            EXPECT_EQ(results_in(part), whole);
        }
    }
    EXPECT_EQ(results_in(explore("--json --resume --seeds 40")), whole);
}

TEST_F(Exploration, SavesHistoriesThatReplay) {
    explore("--seeds 10");
    const nlohmann::json results = results_in(explore("--seeds 24 --resume --json"));
    unsigned count = 0;
    for (const nlohmann::json& outcome : results["outcomes"]) {
        if (!outcome["history"].is_string())
            continue;
        ++count;
        const HostResult replayed = run_command("'" + kProgram + "' replay '" +
                                                outcome["history"].get<std::string>() + "'");
        EXPECT_EQ(replayed.exit_status, outcome["exit_status"]);
        EXPECT_EQ(replayed.output, outcome["output_begin"]);
    }
    EXPECT_EQ(count, 3u);
}

TEST_F(Exploration, StopsAfterTheFailuresOfTheLowestSeeds) {
    const nlohmann::json whole = results_in(explore("--seeds 24 --json --jobs 3 --stop-after 2"));
    EXPECT_EQ(whole["failed"], 2);
    EXPECT_LT(whole["seeds"], 24);
    EXPECT_EQ(results_in(explore("--seeds 24 --json --jobs 1 --stop-after 2")), whole);
}

TEST_F(Exploration, RefusesToGoOnWithOtherFiles) {
    EXPECT_EQ(explore("--seeds 4").exit_status, 1);
    std::ofstream(top_ + "/work/data") << "other\n";
    const HostResult refused = explore("--seeds 8 --resume");
    EXPECT_EQ(refused.exit_status, 125);
    EXPECT_EQ(refused.output, "");
    EXPECT_NE(errors().find("/work/data has changed"), std::string::npos) << errors();
    EXPECT_EQ(explore("--seeds 8").exit_status, 1);
    EXPECT_EQ(explore("--seeds 8 --resume").exit_status, 1);
}

}  // namespace
}  // namespace uchronia::tests
