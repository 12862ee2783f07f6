#include "history/outcome.h"

#include <gtest/gtest.h>

#include "guest/hypercall.h"

namespace uchronia::history {
namespace {

using machine::Stop;

TEST(Outcome, SaysHowTheCommandEnded) {
    EXPECT_TRUE(succeeded({OutcomeKind::kExited, 0, ""}));
    EXPECT_FALSE(succeeded({OutcomeKind::kExited, 1, ""}));
    EXPECT_FALSE(succeeded({OutcomeKind::kSignaled, 0, ""}));
    const auto described = [](machine::StopReason reason) {
        return describe(outcome_of(reason, "[  1.5] Kernel panic - not syncing: Oh no\r\nmore\n"));
    };
    EXPECT_EQ(
        described(
            {.stop = Stop::kExited, .exit_kind = UCHRONIA_EXITED, .exit_code = 3, .message = ""}),
        "exit status 3");
    EXPECT_EQ(described({.stop = Stop::kExited,
                         .exit_kind = UCHRONIA_SIGNALED,
                         .exit_code = 11,
                         .message = ""}),
              "signal 11 (SIGSEGV)");
    EXPECT_EQ(described({.stop = Stop::kReset, .message = ""}), "kernel panic: Oh no");
    EXPECT_EQ(described({.stop = Stop::kTime, .message = ""}), "time-out");
    EXPECT_EQ(described({.stop = Stop::kUnimplemented, .message = "0F 01 C1 at 0x10"}),
              "not implemented: 0F 01 C1 at 0x10");
}

TEST(Outcome, EveryKindHasAText) {
    for (u8 kind = 0; kind < kOutcomeKinds; ++kind)
        EXPECT_FALSE(describe({static_cast<OutcomeKind>(kind), 0, ""}).empty());
    // A signal number that is none of Linux's.
    EXPECT_EQ(describe({OutcomeKind::kSignaled, 4000, ""}), "signal 4000");
}

}  // namespace
}  // namespace uchronia::history
