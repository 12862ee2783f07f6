// uchronia diff: two histories of a program with a race, step by step, and the command from
// outside.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/cache.h"
#include "cli/run_setup.h"
#include "history/first_difference.h"
#include "history/history_file.h"
#include "tests/programs/host_run.h"

namespace uchronia::tests {
namespace {

using history::SteppedRun;

const std::string kProgram = UCHRONIA_PROGRAM;
const std::string kFolder = UCHRONIA_GUEST_FOLDER;  // with racy_counter; nobody writes to it

HostResult run(const std::string& command) {
    return run_command("cd '" + kFolder + "' && " + command);
}

std::string path_of(const std::string& name) {
    return testing::TempDir() + "diff_test_" + name + ".uch";
}

// Two seeds of one program, and the second one again with another argument.
class Diff : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        record("one", "--seed 1", "./racy_counter");
        record("two", "--seed 2", "./racy_counter");
        record("other", "--seed 1", "./racy_counter more");
    }
    static void record(const std::string& name, const std::string& options,
                       const std::string& command) {
        const HostResult recorded = run(kProgram + " run " + options + " --save " + path_of(name) +
                                        " -- " + command + " 2>&1 </dev/null");
        ASSERT_LE(recorded.exit_status, 1) << recorded.output;
    }
};

// A recorded history with all that a stepped run of it needs.
class Loaded {
  public:
    explicit Loaded(const std::string& name) {
        Result<history::History> loaded = history::load_history(path_of(name));
        if (!loaded)
            return;
        history = std::move(*loaded);
        if (auto opened = cli::open_files(history.files))
            files_ = std::move(*opened);
        if (auto image = cli::obtain_base_image_of(history.base, kEngine, nullptr))
            base_ = std::move(*image);
    }

    // Null: it cannot be started.
    std::unique_ptr<SteppedRun> start() const {
        if (base_ == nullptr || files_ == nullptr)
            return nullptr;
        auto run = SteppedRun::start(*base_, history, files_.get(), {.engine = kEngine});
        return run ? std::move(*run) : nullptr;
    }

    history::History history;

  private:
    static constexpr machine::Engine kEngine = machine::Engine::kTranslator;
    std::unique_ptr<host::FileSource> files_;
    std::unique_ptr<machine::BaseImage> base_;
};

TEST_F(Diff, IsNothingForAHistoryAndItself) {
    const Loaded one("one");
    const auto a = one.start(), b = one.start();
    ASSERT_TRUE(a != nullptr && b != nullptr);
    const Result<history::SearchResult> result = history::find_first_difference(*a, *b, {});
    ASSERT_TRUE(result.ok());
    EXPECT_FALSE(result->difference.has_value());
    // Both ended as the recorded run did.
    ASSERT_TRUE(a->end().has_value());
    EXPECT_EQ(*a->end(), one.history.result->outcome);
    EXPECT_EQ(a->ticks(), one.history.result->ticks);
    EXPECT_EQ(a->machine().state_digest(), one.history.result->state);
    EXPECT_EQ(b->machine().state_digest(), one.history.result->state);
}

TEST_F(Diff, FindsTheTickAtWhichTwoSeedsPart) {
    const Loaded one("one"), two("two");
    const auto a = one.start(), b = two.start();
    ASSERT_TRUE(a != nullptr && b != nullptr);
    const Result<history::SearchResult> result = history::find_first_difference(*a, *b, {});
    ASSERT_TRUE(result.ok());
    ASSERT_TRUE(result->difference.has_value());
    const history::FirstDifference first = *result->difference;
    ASSERT_GT(first.tick.value, 0u);
    EXPECT_EQ(first.last_equal.value + 1, first.tick.value);
    const history::StateDifference state = history::difference_of(a->machine(), b->machine());
    EXPECT_FALSE(state.fields.empty() && state.pages.empty());

    // New runs, straight to these two ticks.
    const auto c = one.start(), d = two.start();
    ASSERT_TRUE(c != nullptr && d != nullptr);
    c->run_to(first.last_equal);
    d->run_to(first.last_equal);
    EXPECT_EQ(history::digest_without_plans(c->machine()),
              history::digest_without_plans(d->machine()));
    c->run_to(first.tick);
    d->run_to(first.tick);
    EXPECT_NE(history::digest_without_plans(c->machine()),
              history::digest_without_plans(d->machine()));
    EXPECT_EQ(c->machine().state_digest(), a->machine().state_digest());
    EXPECT_EQ(d->machine().state_digest(), b->machine().state_digest());
}

// However the search goes about it, it comes to the same tick.
TEST_F(Diff, DoesNotDependOnTheStride) {
    const Loaded one("one"), two("two");
    std::vector<u64> ticks;
    for (const u64 stride : {history::kChainInterval, u64{777'777}}) {
        const auto a = one.start(), b = two.start();
        ASSERT_TRUE(a != nullptr && b != nullptr);
        history::SearchOptions options;
        options.stride = stride;
        const auto result = history::find_first_difference(*a, *b, options);
        ASSERT_TRUE(result.ok() && result->difference.has_value());
        ticks.push_back(result->difference->tick.value);
    }
    EXPECT_EQ(ticks[0], ticks[1]);
}

TEST_F(Diff, CommandSaysThatNothingDiffers) {
    const HostResult output = run(kProgram + " diff " + path_of("one") + " " + path_of("one"));
    EXPECT_EQ(output.exit_status, 0);
    EXPECT_NE(output.output.find("The configurations are the same"), std::string::npos)
        << output.output;
    EXPECT_NE(output.output.find("The states are the same"), std::string::npos) << output.output;
}

TEST_F(Diff, CommandNamesWhatDiffers) {
    const std::string command = kProgram + " diff --json " + path_of("one") + " ";
    const HostResult output = run(command + path_of("two"));
    EXPECT_EQ(output.exit_status, 1);
    const nlohmann::json seeds = nlohmann::json::parse(output.output, nullptr, false);
    ASSERT_TRUE(seeds.is_object()) << output.output;
    EXPECT_EQ(seeds["configuration"].size(), 1u);
    EXPECT_EQ(seeds["configuration"][0]["part"], "tape.seeds.0.seed");
    EXPECT_EQ(seeds["tick"].get<u64>(), seeds["last_equal_tick"].get<u64>() + 1);
    EXPECT_GT(seeds["fields"].size() + seeds["pages"].size(), 0u);
    EXPECT_EQ(output.output, run(command + "--engine interp " + path_of("two")).output);

    const HostResult argument = run(command + path_of("other"));
    const nlohmann::json more = nlohmann::json::parse(argument.output, nullptr, false);
    ASSERT_TRUE(more.is_object()) << argument.output;
    EXPECT_EQ(more["configuration"][0]["part"], "request.arguments.1");
    EXPECT_GT(more["fields"].size() + more["pages"].size(), 0u);
}

TEST_F(Diff, CommandRefusesWhatIsNotThere) {
    const HostResult output = run(kProgram + " diff last /nothing/here.uch 2>&1");
    EXPECT_EQ(output.exit_status, 125);
    EXPECT_NE(output.output.find("/nothing/here.uch"), std::string::npos) << output.output;
}

}  // namespace
}  // namespace uchronia::tests
