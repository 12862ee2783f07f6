#include "cli/run_setup.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace uchronia::cli {
namespace {

const std::vector<std::string> kCommand{"ls", "-l"};

std::string error_of(const RunOptions& options, const std::vector<std::string>& command) {
    const Result<history::History> history = make_history(options, command, 0);
    return history.ok() ? "" : history.error().message;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

TEST(RunSetup, MakesTheHistoryOfACommand) {
    const Result<history::History> history = make_history(RunOptions{}, kCommand, 42);
    ASSERT_TRUE(history.ok()) << history.error().message;
    EXPECT_EQ(history->request.arguments, kCommand);
    EXPECT_EQ(history->tape.seed_at(Ticks(0)), 42u);
    EXPECT_EQ(history->base.memory_size, u64{1} << 30);
    EXPECT_EQ(history->limits.timeout, kNever);
    EXPECT_TRUE(contains(history->files.working_folders, history->request.working_directory));
    EXPECT_TRUE(contains(history->files.system_folders, "/usr"));
    EXPECT_FALSE(history->files.hidden.empty());
}

TEST(RunSetup, TheCallersEnvironmentDoesNotCount) {
    const auto before = make_history(RunOptions{}, kCommand, 0)->request.environment;
    ::setenv("LANG", "xx_YY", 1);
    ::setenv("UCHRONIA_TEST_VARIABLE", "value", 1);
    EXPECT_EQ(make_history(RunOptions{}, kCommand, 0)->request.environment, before);

    RunOptions options;
    options.environment = {"LANG=de_DE", "UCHRONIA_TEST_VARIABLE", "EMPTY="};
    const auto changed = make_history(options, kCommand, 0)->request.environment;
    EXPECT_TRUE(contains(changed, "LANG=de_DE"));
    EXPECT_FALSE(contains(changed, "LANG=C.UTF-8"));
    EXPECT_TRUE(contains(changed, "UCHRONIA_TEST_VARIABLE=value"));
    EXPECT_TRUE(contains(changed, "EMPTY="));
    ::unsetenv("UCHRONIA_TEST_VARIABLE");
}

TEST(RunSetup, SharesAreAbsolute) {
    RunOptions options;
    options.shares = {"/usr/../usr/lib/", "."};
    const Result<history::History> history = make_history(options, kCommand, 0);
    ASSERT_TRUE(history.ok()) << history.error().message;
    EXPECT_EQ(history->request.shares[0], "/usr/lib");
    EXPECT_EQ(history->request.shares[1], history->request.working_directory);
}

TEST(RunSetup, SaysWhatIsWrong) {
    EXPECT_NE(error_of({}, {}).find("after '--'"), std::string::npos);
    RunOptions options;
    options.memory = "3M";
    EXPECT_NE(error_of(options, kCommand).find("--memory"), std::string::npos);
    options = {};
    options.timeout = "soon";
    EXPECT_NE(error_of(options, kCommand).find("--timeout"), std::string::npos);
    options = {};
    options.shares = {"/no/such/folder"};
    EXPECT_NE(error_of(options, kCommand).find("/no/such/folder"), std::string::npos);
    options.shares = {"/"};
    EXPECT_NE(error_of(options, kCommand).find("--share"), std::string::npos);
    options = {};
    options.environment = {"=value"};
    EXPECT_NE(error_of(options, kCommand).find("--env"), std::string::npos);
    options.environment = {"UCHRONIA_IS_NOT_SET"};
    EXPECT_NE(error_of(options, kCommand).find("UCHRONIA_IS_NOT_SET"), std::string::npos);
}

}  // namespace
}  // namespace uchronia::cli
