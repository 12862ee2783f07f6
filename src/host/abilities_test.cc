#include "host/abilities.h"

#include <gtest/gtest.h>

#include "host/files.h"

namespace uchronia::host {
namespace {

TEST(Abilities, AreMeasured) {
    EXPECT_TRUE(runs_written_code());
    EXPECT_TRUE(can_reserve(u64{1} << 30));
    EXPECT_FALSE(can_reserve(u64{1} << 60));
}

TEST(Abilities, ReadsWhatTheKernelSays) {
    EXPECT_GT(available_memory().value_or(1), 0u);
    const std::string path = testing::TempDir() + "abilities_test";
    ASSERT_TRUE(write_file_atomically(path, std::string_view("one\ntwo\n")).ok());
    EXPECT_EQ(first_line_of(path), "one");
    EXPECT_EQ(first_line_of(path + "_none"), "");
}

}  // namespace
}  // namespace uchronia::host
