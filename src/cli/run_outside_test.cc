#include "cli/run_outside.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace uchronia::cli {
namespace {

TEST(RunOutside, KeepsWhatAVisitWritesUpToALimit) {
    std::string output, errors;
    unsigned failures = 0;
    RunOutside outside(ConsoleUse::kDrop);
    outside.keep_visit_output(&output, &errors, 10);
    outside.on_output_failure([&] { ++failures; });
    const std::vector<u8> bytes(6, 'x');
    outside.output(machine::OutputStream::kVisitOutput, bytes);
    outside.output(machine::OutputStream::kVisitError, bytes);
    EXPECT_EQ(output, "xxxxxx");
    EXPECT_EQ(errors, "xxxxxx");
    EXPECT_EQ(outside.output_error(), 0);
    outside.output(machine::OutputStream::kVisitOutput, bytes);
    outside.output(machine::OutputStream::kVisitOutput, bytes);
    EXPECT_EQ(output, "xxxxxx");
    EXPECT_EQ(outside.output_error(), EFBIG);
    EXPECT_EQ(failures, 1u);
}

}  // namespace
}  // namespace uchronia::cli
