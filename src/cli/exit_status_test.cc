#include "cli/exit_status.h"

#include <gtest/gtest.h>

namespace uchronia::cli {
namespace {

using history::OutcomeKind;

TEST(ExitStatus, PassesTheCommandsOwnOn) {
    EXPECT_EQ(exit_status_of({OutcomeKind::kExited, 0, ""}), 0);
    EXPECT_EQ(exit_status_of({OutcomeKind::kExited, 255, ""}), 255);
    EXPECT_EQ(exit_status_of({OutcomeKind::kSignaled, 9, ""}), 137);
}

TEST(ExitStatus, NeverReportsAFailureAsSuccess) {
    for (u8 kind = 1; kind < history::kOutcomeKinds; ++kind)
        EXPECT_GE(exit_status_of({static_cast<OutcomeKind>(kind), 0, ""}), 120) << int{kind};
}

}  // namespace
}  // namespace uchronia::cli
